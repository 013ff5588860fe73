"""The hash of a data set changes with anything that training could notice; samples are drawn by a seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.data import bars
from toolchain.datasets.dataset import Subset, fingerprint

IMAGES = np.arange(48, dtype=np.uint8).reshape(6, 1, 2, 4)
TARGETS = np.array([0, 1, 0, 1, 0, 1])


def of(order=range(6), cuts=(2, 4), images=IMAGES, targets=TARGETS, labels=("a", "b")):
    order = list(order)
    pieces = order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :]
    return fingerprint(*(Subset(images[piece], targets[piece]) for piece in pieces), labels)


def test_pinned():
    assert of() == of() == of(targets=TARGETS.astype(np.int32))
    assert of() == "69dacdac13280103522189eccb1102ffeffc4cefd177121c6897224da083dfbf"


@pytest.mark.parametrize(
    "change",
    [
        {"order": (1, 0, 2, 3, 4, 5)},
        {"cuts": (3, 4)},
        {"images": IMAGES + 1},
        {"images": IMAGES.reshape(6, 1, 4, 2)},
        {"targets": 1 - TARGETS},
        {"labels": ("a", "c")},
    ],
    ids=str,
)
def test_changes(change):
    assert of(**change) != of()


def test_drawing_is_by_the_seed_and_without_replacement() -> None:
    data = bars(400).train
    few = data.drawn(20, 3)
    assert len(few) == 20 and (few.images == data.drawn(20, 3).images).all()
    assert not (few.images == data.drawn(20, 4).images).all()
    assert len(np.unique(few.images.reshape(20, -1), axis=0)) == 20
    assert data.drawn(10_000, 3) is data
