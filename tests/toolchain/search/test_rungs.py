from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.search.rungs import EVALUATED, FEWEST, FEWEST_SEEN, MOST, MOST_SEEN, pool_size, rungs


@given(st.lists(st.floats(1e-5, 1e-2), min_size=1, max_size=30), st.floats(1, 1e5), st.integers(20, 100_000))
def test_a_plan_is_sound(costs: list[float], seconds: float, available: int) -> None:
    first, last = rungs(costs, seconds, available, 4_000, [1, 2, 3])
    assert first.candidates == len(costs) and 1 <= last.candidates <= first.candidates
    assert first.seeds == (1,) and last.seeds == (2, 3)
    assert last.extent.images_seen > first.extent.images_seen
    for rung in (first, last):
        assert max(rung.extent.images) <= available and min(rung.extent.images) > 0


def test_it_costs_what_there_is() -> None:
    costs = [1e-3] * 9
    first, last = rungs(costs, 300.0, 54_000, 4_000, [1, 2, 3])
    measured = EVALUATED * 4_000 * (9 + 2 * last.candidates)
    assert (first.work + last.work + measured) * 1e-3 == pytest.approx(300, rel=0.02)


def test_more_seconds_give_longer_trainings_within_bounds() -> None:
    seen = [
        rungs([1e-3] * 9, seconds, 54_000, 4_000, [1, 2, 3])[0].extent.images_seen
        for seconds in (1, 300, 1e6)
    ]
    assert seen == sorted(seen) and seen[0] >= FEWEST_SEEN * 0.9 and seen[-1] <= MOST_SEEN


def test_pools_grow_with_the_seconds() -> None:
    counts = [pool_size(seconds, 1e-3) for seconds in (1, 300, 500, 1e6)]
    assert counts == sorted(counts) and counts[0] == FEWEST and counts[-1] == MOST
