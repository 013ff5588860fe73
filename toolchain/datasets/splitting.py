"""Who is in which subset: stratified, and for one seed the same on every machine.

Within a class, images are ordered by sha256 of the seed and their index. numpy's generators promise no
stream that is stable between versions (NEP 19), and a split that changed with an upgrade would put test
images into training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.source import Indices, Split
from toolchain.errors import InputError

ByClass = list[list[int]]


def split(
    parts: Mapping[Split, NDArray[np.int64]],
    labels: tuple[str, ...],
    *,
    validation_fraction: float,
    seed: int,
    limit: int | None,
) -> dict[Split, Indices]:
    """Indices into ``parts``, the class of each image, for each subset, ascending.

    Images without classes are all of one that is called "".
    The source's own test and validation parts are kept. Otherwise 20 % of each class is set aside for test,
    then ``validation_fraction`` of what remains for validation (rounded half up, at least one image, never
    all). ``limit`` first reduces every part to that many images, keeping the proportions of its classes.
    Validation or test images that have to be set aside come from the train part.

    Raises ``InputError`` if a class has too few images to be in every subset, or ``limit`` allows too few.
    """
    chosen: dict[Split, ByClass] = {}
    for name, part in parts.items():
        needed = 3 - len(parts.keys() & {"validation", "test"}) if name == "train" else 0
        by_class = _in_hash_order(part, len(labels), seed)
        for label, members in zip(labels, by_class, strict=True):
            if len(members) < needed:
                what, mend = (f"class {label!r}", " or drop the class") if label else ("the data set", "")
                raise InputError(
                    f"{what} has {len(members)} image{'s' * (len(members) != 1)} to train with; at "
                    f"least {needed} are needed, one for every subset; add images{mend}"
                )
        chosen[name] = by_class if limit is None else _limited(by_class, limit, needed)
    if "test" not in parts:
        chosen["test"], chosen["train"] = _set_aside(chosen["train"], 0.2)
    if "validation" not in parts:
        chosen["validation"], chosen["train"] = _set_aside(chosen["train"], validation_fraction)
    return {
        name: np.array(sorted(chain.from_iterable(by_class)), np.int64) for name, by_class in chosen.items()
    }


def _in_hash_order(targets: NDArray[np.int64], n_classes: int, seed: int) -> ByClass:
    by_class: ByClass = [[] for _ in range(n_classes)]
    for index, target in enumerate(targets.tolist()):
        by_class[target].append(index)
    for members in by_class:
        members.sort(key=lambda index: hashlib.sha256(f"{seed}:{index}".encode()).digest())
    return by_class


def _limited(by_class: ByClass, limit: int, needed: int) -> ByClass:
    """The first images of each class, ``limit`` in all: ``needed`` each, the rest in proportion."""
    counts = [len(members) for members in by_class]
    if limit >= sum(counts):
        return by_class
    minimum = max(1, needed)
    floor = [min(count, minimum) for count in counts]
    if limit < sum(floor):
        classes = f" for {len(by_class)} classes" if len(by_class) > 1 else ""
        raise InputError(f"--limit {limit} is too few{classes}: at least {sum(floor)} images are needed")
    spare = [count - least for count, least in zip(counts, floor, strict=True)]
    share = limit - sum(floor)
    quota = [least + extra * share // sum(spare) for least, extra in zip(floor, spare, strict=True)]
    # What rounding down left over goes to the classes that lost most by it, the first ones if equal.
    lost = sorted(range(len(counts)), key=lambda i: (-(spare[i] * share % sum(spare)), i))
    for index in lost[: limit - sum(quota)]:
        quota[index] += 1
    return [members[:count] for members, count in zip(by_class, quota, strict=True)]


def _set_aside(by_class: ByClass, fraction: float) -> tuple[ByClass, ByClass]:
    """``fraction`` of each class and the others; at least one of a class in both."""
    aside, rest = [], []
    for members in by_class:
        count = max(1, min(int(len(members) * fraction + 0.5), len(members) - 1))
        aside.append(members[:count])
        rest.append(members[count:])
    return aside, rest
