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

PLANES_WORTH_A_THREAD = 64
"""Fewer planes are done sooner than a thread is woken."""


class Compiled:
    """``neuron_backend.Backend`` in machine code; every figure is independent of the number of threads."""

    def fire(self, current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule) -> Tensor:
        spikes = current.new_empty((time_steps, *current.shape[1:]))
        constants = (_channels(gain), _channels(offset), _channels(rule.level), _channels(rule.threshold))
        x, out = _planes(current), _planes(spikes)
        zero, leak = rule.dynamics.reset == "zero", _leak(rule)
        _over_planes(x, lambda a, b: kernels.forward(a, b, x, out, *constants, zero, leak))
        return spikes

    def adjoint(
        self, current: Tensor, gradient: Tensor, gain: Tensor, offset: Tensor, rule: Rule
    ) -> tuple[Tensor, Tensor, Tensor]:
        found = torch.empty_like(current)
        x, out, given = _planes(current), _planes(found), _planes(gradient.contiguous())
        sums = np.empty((x.shape[1], 2), np.float32)
        constants = (_channels(gain), _channels(offset), _channels(rule.level), _channels(rule.threshold))
        surrogate = np.float32(rule.half), 1 / _channels(rule.unit)
        zero, leak = rule.dynamics.reset == "zero", _leak(rule)
        passed = np.float32(rule.dynamics.leak.kept), np.float32(rule.dynamics.snntorch)
        _over_planes(
            x,
            lambda a, b: kernels.backward(
                a, b, x, out, given, sums, *constants, *surrogate, zero, leak, *passed
            ),
        )
        total, product = sums.reshape(-1, len(gain), 2).sum(axis=0, dtype=np.float64).T
        return found, _tensor(total), _tensor(product)

    def moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        x = _planes(maps)
        rows = np.empty((*x.shape[:2], 2), np.float32)
        _over_planes(x, lambda a, b: kernels.moments(a, b, x, rows))
        means, squares = rows.reshape(-1, maps.shape[2], 2).astype(np.float64).transpose(2, 0, 1)
        mean = means.mean(axis=0)
        # The variance within rows and that of their means, which all count equally (Chan, Golub and LeVeque, 1983).
        variance = squares.mean(axis=0) / x.shape[2] + ((means - mean) ** 2).mean(axis=0)
        return _tensor(mean), _tensor(variance)

    def blend(self, out: Tensor, maps: Tensor, slope: Tensor, share: Tensor, shift: Tensor) -> None:
        x, result = _planes(maps), _planes(out)
        factors = _channels(slope), _channels(share), _channels(shift)
        _over_planes(x, lambda a, b: kernels.blend(a, b, x, result, *factors))


def _over_planes(x: Maps, work: Callable[[int, int], Any]) -> None:
    """Do ``work(first, last)`` for all planes of ``x``, in parts of as many threads as torch has."""
    planes = x.shape[1]
    parts = max(1, min(torch.get_num_threads(), planes // PLANES_WORTH_A_THREAD))
    ends = [planes * part // parts for part in range(parts + 1)]
    if parts == 1:
        work(0, planes)
        return
    # The last part is this thread's own, so that it does not idle.
    waiting = [_pool(parts - 1).submit(work, *span) for span in zip(ends[:-2], ends[1:-1], strict=True)]
    work(*ends[-2:])
    for each in waiting:
        each.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="neurons")


def _planes(maps: Tensor) -> Maps:
    """[T, N, C, H, W] as [T, N * C, H * W], without a copy."""
    planes = maps.detach().reshape(len(maps), maps.shape[1] * maps.shape[2], -1)
    # numpy has no bfloat16; the loops know it by its bits.
    return planes.numpy() if maps.dtype == torch.float32 else planes.view(torch.uint16).numpy()


def _channels(values: Tensor) -> Floats:
    return values.detach().contiguous().numpy()


def _leak(rule: Rule) -> tuple[np.float32, np.float32, np.float32]:
    kept, floored, scale = rule.dynamics.factors
    return np.float32(kept), np.float32(floored), np.float32(scale)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
