"""Small learnable data sets for tests: bars in noise, made here, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets import Dataset, Subset
from toolchain.datasets.dataset import Scale
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


def write_bars(path: Path, count: int = 150) -> Path:
    """``bars`` as an .npz file without parts of its own."""
    every = bars(count)
    parts = (every.train, every.validation, every.test)
    images, targets = ([getattr(part, name) for part in parts] for name in ("images", "targets"))
    np.savez(path, images=np.concatenate(images), labels=np.concatenate(targets))
    return path


def steering(count: int = 400, side: int = 16, seed: int = 0) -> Dataset:
    """Images of a bright gate in noise, as a drone sees it, with the two numbers that it steers by.

    ``offset``: where the gate stands, -1 at the left to 1 at the right. ``brightness``: of the gate, 120 to 250.
    """
    images, targets = gates(count, side, seed)
    first, second = count // 2, count * 3 // 4
    train, validation, test = (
        Subset(images[part, None], targets[part])
        for part in (slice(0, first), slice(first, second), slice(second, None))
    )
    scales = tuple(map(Scale.of, train.targets.T))
    steps = Preprocessing(side, side, "grey")
    names = ("offset", "brightness")
    return Dataset("steering", train, validation, test, names, steps, "0" * 64, False, scales)


def gates(count: int, side: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Images uint8 [count, side, side] and targets float32 [count, 2] of ``steering``."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, side, side)).astype(np.uint8)
    columns, levels = rng.integers(1, side - 1, count), rng.integers(120, 251, count)
    for image, column, level in zip(images, columns, levels, strict=True):
        image[:, column - 1 : column + 2] = level
    return images, np.stack([(2 * columns + 1) / side - 1, levels], 1).astype(np.float32)
