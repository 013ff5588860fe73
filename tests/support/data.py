"""Small learnable data sets for tests: bars in noise, made here, the same every time."""

from __future__ import annotations

import numpy as np

from toolchain.datasets import Dataset, Subset
from toolchain.graph.preprocessing import Preprocessing

LABELS = ("horizontal", "vertical", "diagonal")


def bars(count: int = 120, side: int = 8, seed: int = 0) -> Dataset:
    """Images of one bright bar in noise, uint8 [n, 1, side, side]; the class is the bar's direction."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, 1, side, side)).astype(np.uint8)
    targets = np.arange(count) % 3
    for image, target in zip(images[:, 0], targets, strict=True):
        place = int(rng.integers(0, side))
        if target == 0:
            image[place] = 230
        elif target == 1:
            image[:, place] = 230
        else:
            image[range(side), np.roll(np.arange(side), place)] = 230
    first, second = count // 2, count * 3 // 4
    train, validation, test = (
        Subset(images[part], targets[part].astype(np.int64))
        for part in (slice(0, first), slice(first, second), slice(second, count))
    )
    return Dataset(
        "bars", train, validation, test, LABELS, Preprocessing(side, side, "grey"), "0" * 64, False
    )
