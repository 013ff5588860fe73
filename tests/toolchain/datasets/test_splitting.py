"""The split: pinned indices, proportions, and what it refuses."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.datasets.splitting import split
from toolchain.errors import InputError

counts = st.lists(st.integers(3, 40), min_size=2, max_size=6)


def part(class_counts):
    return np.repeat(np.arange(len(class_counts)), class_counts).astype(np.int64)


def run(parts, n_classes, validation_fraction=0.1, seed=0, limit=None):
    labels = tuple(map(str, range(n_classes)))
    return split(parts, labels, validation_fraction=validation_fraction, seed=seed, limit=limit)


def test_the_split_is_the_one_that_it_always_was():
    # From the definition: within a class the lowest sha256 of "seed:index" goes to test, the next to validation.
    order = sorted(range(10), key=lambda index: hashlib.sha256(f"7:{index}".encode()).hexdigest())
    chosen = run({"train": part([10, 10])}, 2, seed=7)
    assert sorted(order[:2]) == [i for i in chosen["test"] if i < 10]
    assert order[2:3] == [i for i in chosen["validation"] if i < 10]
    # And pinned, so that no change of the definition goes unseen.
    assert chosen["test"].tolist() == [4, 7, 12, 18]
    assert chosen["validation"].tolist() == [3, 16]


@given(counts, st.integers(), st.sampled_from([0.001, 0.1, 0.25, 0.5, 0.99]))
def test_subsets_are_disjoint_and_complete_and_hold_every_class(class_counts, seed, fraction):
    source = part(class_counts)
    chosen = run({"train": source}, len(class_counts), fraction, seed)
    together = np.concatenate([chosen[name] for name in ("train", "validation", "test")])
    assert sorted(together.tolist()) == list(range(sum(class_counts)))
    for indices in chosen.values():
        assert set(source[indices].tolist()) == set(range(len(class_counts)))
        assert (np.diff(indices) > 0).all()
    for label, count in enumerate(class_counts):
        in_test = int((source[chosen["test"]] == label).sum())
        in_validation = int((source[chosen["validation"]] == label).sum())
        assert abs(in_test - count * 0.2) <= 0.5 + 1e-9 or in_test == 1
        assert abs(in_validation - (count - in_test) * fraction) <= 0.5 + 1e-9 or in_validation in (
            1,
            count - in_test - 1,
        )


@given(counts, st.data())
def test_a_limit_is_met_exactly_and_nests(class_counts, data):
    least = 3 * len(class_counts)
    limit = data.draw(st.integers(least, sum(class_counts)))
    chosen = run({"train": part(class_counts)}, len(class_counts), limit=limit)
    used = np.concatenate(list(chosen.values()))
    assert len(used) == len(set(used.tolist())) == limit
    targets = part(class_counts)[used]
    spare, share = sum(class_counts) - least, limit - least
    for label, count in enumerate(class_counts):
        exact = 3 + ((count - 3) * share / spare if spare else 0)
        assert abs(int((targets == label).sum()) - exact) < 1


def test_validation_and_test_parts_are_kept_whole():
    parts = {"train": part([5, 6]), "validation": part([2, 3]), "test": part([1, 4])}
    chosen = run(parts, 2)
    assert [len(chosen[name]) for name in ("train", "validation", "test")] == [11, 5, 5]
    only_validation = run({"train": part([5, 5]), "validation": part([2, 3])}, 2)
    assert [len(only_validation[name]) for name in ("train", "validation", "test")] == [8, 5, 2]


@pytest.mark.parametrize(
    ("others", "needed"),
    [({}, 3), ({"test": part([1, 1])}, 2), ({"test": part([1, 1]), "validation": part([1, 1])}, 1)],
)
def test_a_class_needs_an_image_in_every_subset(others, needed):
    chosen = run({"train": part([9, needed]), **others}, 2)
    assert all(len(indices) for indices in chosen.values())
    with pytest.raises(InputError, match=rf"class '1' has {needed - 1} image.*at least {needed}"):
        run({"train": part([9, needed - 1]), **others}, 2)


def test_too_small_a_limit_says_what_would_do():
    with pytest.raises(InputError, match="--limit 8 is too few for 3 classes: at least 9"):
        run({"train": part([9, 9, 9])}, 3, limit=8)
