"""The integer operations of scoring as numba kernels: spikes packed in words, distances by counting bits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from toolchain.search.scoring import kernels as loops
from toolchain.search.scoring.backend import Extent, words
from toolchain.search.scoring.fixed_point import Dynamics
from toolchain.search.scoring.sahd import JULY_EPSILON

CHUNK = 256
"""Words of a row whose spikes are kept until their distances are counted."""

GROUP = 96
"""Most output nodes whose spikes are kept: 96 * T * B * CHUNK words, 30 MiB for 160 images and steps."""


class Compiled:
    """``toolchain.search.scoring.backend.Backend`` for tensors on the CPU."""

    def moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        channels = sums.shape[-1]
        total, squares = np.zeros(channels), np.zeros(channels)
        loops.moments(sums.reshape(-1, channels).numpy(), total, squares)
        return torch.from_numpy(total), torch.from_numpy(squares)

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, out: Tensor) -> None:
        maps = sums.reshape(len(sums), -1, len(factor)).numpy()
        loops.scale(maps, factor.numpy(), offset.numpy(), out.flatten(0, 1).numpy())

    def pool(self, values: Tensor, extent: Extent, divisor: float, out: Tensor) -> None:
        maps, table = values.flatten(0, 1).numpy(), out.flatten(0, 1).numpy()
        loops.pool(maps, *extent, np.float32(divisor), table)

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        steps, images, length = drive.shape
        bits = np.empty((steps, images, words(neurons)), np.uint64)
        loops.fire(drive.reshape(-1).numpy(), length, bits, _factors(steps, dynamics))
        spikes = torch.empty((steps, images, neurons), dtype=torch.uint8)
        loops.unpack(bits.reshape(steps * images, -1), spikes.flatten(0, 1).numpy())
        return spikes

    def kernels(self, spikes: Tensor) -> Tensor:
        steps, images, neurons = spikes.shape
        bits = np.empty((steps * images, words(neurons)), np.uint64)
        loops.pack(spikes.reshape(steps * images, -1).numpy(), bits)
        found = np.zeros((steps, images, images), np.int32)
        loops.distances(bits.reshape(steps, images, -1), found)
        return _kernels(found[None], neurons)[0]

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        _, steps, images, length = tables.shape
        flat, factors, found = tables.reshape(-1).numpy(), _factors(steps, dynamics), []
        bits = np.empty((min(GROUP, len(picks)), steps, images, min(CHUNK, words(neurons))), np.uint64)
        for part in picks.split(GROUP):
            counts = np.zeros((len(part), steps, images, images), np.int32)
            loops.outputs(flat, length, words(neurons), part.numpy(), bits, factors, counts)
            found.append(_kernels(counts, neurons))
        return torch.cat(found)


def _factors(steps: int, dynamics: Dynamics) -> tuple[int, int, int, int, int]:
    return steps, dynamics.shift, dynamics.keep, dynamics.sign, dynamics.remain


def _kernels(counts: np.ndarray, neurons: int) -> Tensor:
    images = counts.shape[-1]
    found = np.zeros((len(counts), 3, images * (images - 1) // 2))
    loops.kernels(counts, neurons, JULY_EPSILON, found)
    return torch.from_numpy(found)
