"""A larger float network that trains first and then teaches: a small residual network of rectified units."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolchain.network.spiking import PIXEL_SCALE

SIDE = 8
"""Stages halve their maps until a side is this small."""

MOST_STAGES = 4


class Teacher(nn.Module):
    """Residual blocks of two 3x3 convolutions (He et al., arXiv 1512.03385), one a stage.

    ``width`` channels in the first stage, twice as many in each one that follows. An image is seen once; frames of
    a sample are seen as its channels.
    """

    def __init__(self, channels: int, side: int, outputs: int, *, width: int, seed: int) -> None:
        super().__init__()
        stages = 1
        while side > SIDE and stages < MOST_STAGES:
            side, stages = -(-side // 2), stages + 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Sequential(
                nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
            )
            widths = [width * 2**stage for stage in range(stages)]
            self.blocks = nn.Sequential(
                *(_Block(into, out) for into, out in zip([width, *widths], widths, strict=False))
            )
            self.readout = nn.Linear(widths[-1], outputs)

    def forward(self, pixels: Tensor) -> Tensor:
        """Outputs [N, k] of ``pixels`` uint8 [N, C, H, W], or [N, T, C, H, W]."""
        maps = self.blocks(self.stem(pixels.flatten(1, -3).float() / PIXEL_SCALE))
        outputs: Tensor = self.readout(maps.mean((2, 3)))
        return outputs


class _Block(nn.Module):
    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        stride = 1 if into == out else 2
        self.first = nn.Sequential(
            nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
        )
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        self.shortcut: nn.Module = nn.Identity()
        if into != out:
            self.shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.shortcut(maps) + self.second(self.first(maps)))
