"""Feeding many images to a runtime a batch at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError

Images = NDArray[np.uint8]
Scores = NDArray[np.int32]

MAX_BATCH = 32
BATCH_PIXELS = 1 << 15
"""Pixels of one batch. A map of 64 channels at full resolution then takes 8 MiB as float32."""


def batch_size(images: Images) -> int:
    """Images to run at once."""
    pixels = images.shape[-2] * images.shape[-1]
    return max(1, min(MAX_BATCH, len(images), BATCH_PIXELS // max(1, pixels)))


def batches(images: Images, size: int, run: Callable[[Images], Scores]) -> Scores:
    """Run ``images`` in batches of ``size`` (the last may be smaller) and join the scores."""
    parts = [run(images[start : start + size]) for start in range(0, len(images), size)]
    # No images: run one of zeros to learn the number of classes.
    return np.concatenate(parts) if parts else run(np.zeros((1, *images.shape[1:]), np.uint8))[:0]


def require_shape(images: Images, shape: tuple[int, ...], path: Path) -> None:
    """Raise ``InputError`` unless ``images`` are uint8 [n, *shape]."""
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        raise InputError(
            f"{path} takes images uint8 {list(shape)} ([frames,] channels, height, width), not {images.dtype} "
            f"{list(images.shape[1:])}; is it of another run?"
        )
