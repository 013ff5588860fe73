"""Integrate and fire with the compiled loops, split between torch's threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolchain.network import neuron_kernels as kernels
from toolchain.network.neuron_backend import Rule

Floats = NDArray[np.float32]
Maps = NDArray[np.float32] | NDArray[np.uint16]

CHUNK = 1024
"""Elements of a chunk, about: potentials of eight steps stay within a first-level cache."""


class Compiled:
    """``neuron_backend.Backend`` in machine code; every figure is independent of the number of threads."""

    def fire(self, current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule) -> Tensor:
        spikes = _like(current, time_steps)
        x, out, constants = _flat(current), _flat(spikes), _constants(gain, offset, rule)
        zero, leak = rule.dynamics.reset == "zero", _leak(rule)
        _over_blocks(x, len(gain), lambda a, b: kernels.forward(a, b, x, out, *constants, zero, leak))
        return spikes

    def adjoint(
        self, current: Tensor, gradient: Tensor, gain: Tensor, offset: Tensor, rule: Rule
    ) -> tuple[Tensor, Tensor, Tensor]:
        found = _like(current, len(current))
        x, out, given = _flat(current), _flat(found), _flat(gradient)
        sums = _sums(x, len(gain))
        constants = *_constants(gain, offset, rule), _repeated(1 / rule.unit)
        zero, leak, half = rule.dynamics.reset == "zero", _leak(rule), np.float32(rule.half)
        passed = np.float32(rule.dynamics.leak.kept), np.float32(rule.dynamics.snntorch)
        _over_blocks(
            x,
            len(gain),
            lambda a, b: kernels.backward(a, b, x, out, given, sums, *constants, half, zero, leak, *passed),
        )
        total, product = _by_channel(sums, len(gain))
        return found, _tensor(total), _tensor(product)

    def moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        x, channels = _flat(maps), maps.shape[2]
        # Distances from something near the mean: squares of the values themselves would cancel.
        near = maps[:, 0].float().mean((0, 2, 3))
        sums, repeated = _sums(x, channels), _repeated(near)
        _over_blocks(x, channels, lambda a, b: kernels.moments(a, b, x, sums, repeated))
        first, second = _by_channel(sums, channels) / (x.size // channels)
        return near + _tensor(first), _tensor(second - first**2)

    def blend(self, out: Tensor, maps: Tensor, slope: Tensor, share: Tensor, shift: Tensor) -> None:
        x, result = _flat(maps), _flat(out)
        factors = [_repeated(values) for values in (slope, share, shift)]
        _over_blocks(x, len(slope), lambda a, b: kernels.blend(a, b, x, result, *factors))


def _over_blocks(x: Maps, channels: int, work: Callable[[int, int], Any]) -> None:
    """Do ``work(first, last)`` for all blocks of ``x``, in parts of as many threads as torch has."""
    blocks = _blocks(x, channels)
    parts = max(1, min(torch.get_num_threads(), blocks))
    ends = [blocks * part // parts for part in range(parts + 1)]
    if parts == 1:
        work(0, blocks)
        return
    # The last part is this thread's own, so that it does not idle.
    waiting = [_pool(parts - 1).submit(work, *span) for span in zip(ends[:-2], ends[1:-1], strict=True)]
    work(*ends[-2:])
    for each in waiting:
        each.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="neurons")


def _blocks(x: Maps, channels: int) -> int:
    return -(-x.shape[1] // (kernels.BLOCK * _chunk(channels)))


def _chunk(channels: int) -> int:
    """Elements of a chunk: whole positions."""
    return channels * max(1, CHUNK // channels)


def _sums(x: Maps, channels: int) -> Floats:
    return np.zeros((_blocks(x, channels), 2, _chunk(channels)), np.float32)


def _by_channel(sums: Floats, channels: int) -> NDArray[np.float64]:
    """Both sums of each channel: float64 [2, C]."""
    wide = sums.sum(axis=0, dtype=np.float64)
    found: NDArray[np.float64] = wide.reshape(2, -1, channels).sum(axis=1)
    return found


def _like(maps: Tensor, time_steps: int) -> Tensor:
    """A new map of so many steps, channels last in memory."""
    last = maps.movedim(2, -1)
    return maps.new_empty((time_steps, *last.shape[1:])).movedim(-1, 2)


def _flat(maps: Tensor) -> Maps:
    """[T, N, C, ...] as [T, N * ... * C]: without a copy if channels are last in memory."""
    last = maps.detach().movedim(2, -1).contiguous().reshape(len(maps), -1)
    # numpy has no bfloat16; the loops know it by its bits.
    return last.numpy() if maps.dtype == torch.float32 else last.view(torch.uint16).numpy()


def _constants(gain: Tensor, offset: Tensor, rule: Rule) -> tuple[Floats, ...]:
    return tuple(_repeated(values) for values in (gain, offset, rule.level, rule.threshold))


def _repeated(values: Tensor) -> Floats:
    """A value a channel [C], repeated to a chunk's length."""
    return np.tile(values.detach().numpy(), _chunk(len(values)) // len(values))


def _leak(rule: Rule) -> tuple[np.float32, np.float32, np.float32]:
    kept, floored, scale = rule.dynamics.factors
    return np.float32(kept), np.float32(floored), np.float32(scale)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
