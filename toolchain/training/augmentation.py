"""Random variants of training images, so that a small network does not learn a small data set by heart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def shifted(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Move each image of ``pixels`` uint8 [n, C, H, W] by a random offset of its own; what comes in is black.

    An offset is at most ``share`` of the shorter side. Frames [n, T, C, H, W] of one sample move together.
    """
    count, *_, height, width = pixels.shape
    most = int(min(height, width) * share)
    if not most:
        return pixels
    padded = functional.pad(pixels.flatten(1, -3), (most,) * 4).permute(0, 2, 3, 1)
    offsets = torch.randint(0, 2 * most + 1, (2, count, 1), generator=generator)
    rows, columns = offsets[0] + torch.arange(height), offsets[1] + torch.arange(width)
    image = torch.arange(count).reshape(-1, 1, 1)
    moved = padded[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return moved.contiguous().reshape(pixels.shape)


def mirrored(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images [n, ..., W], drawn at random, left to right."""
    chosen = torch.rand(len(pixels), generator=generator) < 0.5
    return torch.where(chosen.reshape(-1, *[1] * (pixels.ndim - 1)), pixels.flip(-1), pixels)
