"""The integer operations of scoring in torch, for machines without numba and for accelerators."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from toolchain.search.scoring import sahd
from toolchain.search.scoring.backend import Extent
from toolchain.search.scoring.fixed_point import MAX_CURRENT, MAX_POTENTIAL, THRESHOLD, Dynamics

CHUNK = {"cpu": 2**20, "cuda": 2**27}
"""Neurons and steps of output nodes to compute at once: caches on a CPU, memory elsewhere."""

MOMENTS_CHUNK = 2**24
"""Elements to widen to float64 at once."""


class Tensors:
    """``toolchain.search.scoring.backend.Backend`` for tensors on any device."""

    def moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        channels = sums.shape[-1]
        total = torch.zeros(channels, dtype=torch.float64, device=sums.device)
        squares = total.clone()
        for part in sums.reshape(-1, channels).split(max(1, MOMENTS_CHUNK // channels)):
            wide = part.double()
            total += wide.sum(0)
            squares += wide.square_().sum(0)
        return total, squares

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, out: Tensor) -> None:
        maps = sums.reshape(len(sums), -1, len(factor))
        # Product and sum are rounded one after the other, as in the compiled kernel: no fused multiply-add.
        scaled = maps.mul(factor).add_(offset).round_().clamp_(-MAX_CURRENT, MAX_CURRENT)
        out.flatten(0, 1)[:, : scaled[0].numel()] = scaled.flatten(1)

    def pool(self, values: Tensor, extent: Extent, divisor: float, out: Tensor) -> None:
        size = extent[0] * extent[1] * extent[2]
        maps = values[..., :size].flatten(0, 1).unflatten(1, extent).permute(0, 3, 1, 2).float()
        # Sums of nine integers are exact in float32; no quotient is near enough to a half to be rounded wrongly.
        summed = functional.avg_pool2d(maps, 3, 1, 1, divisor_override=1)
        pooled = summed.div_(divisor).round_().permute(0, 2, 3, 1).flatten(1)
        out.flatten(0, 1)[:, : pooled.shape[1]] = pooled

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        spikes = torch.empty((1, *drive.shape[:2], neurons), dtype=torch.uint8, device=drive.device)
        return integrate(drive[..., :neurons].unsqueeze(0), dynamics, spikes)[0]

    def kernels(self, spikes: Tensor) -> Tensor:
        return sahd.kernels(distances(spikes.float()), spikes.shape[-1])

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        most = max(1, CHUNK.get(tables.device.type, CHUNK["cpu"]) // tables[0].numel())
        shape = (min(most, len(picks)), *tables.shape[1:])
        currents = torch.empty(shape, dtype=torch.int16, device=tables.device)
        spikes = torch.empty(shape, dtype=torch.float32, device=tables.device)
        found = []
        for part in picks.split(most):
            for current, (first, second, third) in zip(currents, part.tolist(), strict=False):
                torch.add(tables[first], tables[second], out=current).add_(tables[third])
            cells = slice(len(part))
            fired = integrate(currents[cells], dynamics, spikes[cells])
            found.append(sahd.kernels(distances(fired), neurons))
        return torch.cat(found)


def distances(spikes: Tensor) -> Tensor:
    """Hamming distances int32 [..., B, B] of spikes float32 [..., B, n]; on the diagonal how many fired."""
    # Counts of coinciding spikes are whole numbers below 2^24: exact in float32.
    both = torch.matmul(spikes, spikes.transpose(-1, -2)).to(torch.int32)
    fired = torch.diagonal(both, dim1=-2, dim2=-1)
    result = fired.unsqueeze(-1) + fired.unsqueeze(-2) - 2 * both
    torch.diagonal(result, dim1=-2, dim2=-1).copy_(fired)
    return result


def integrate(current: Tensor, dynamics: Dynamics, spikes: Tensor) -> Tensor:
    """Write the spikes of neurons driven by ``current``, int16, to ``spikes``; both [G, T, ...]."""
    potential = torch.zeros_like(current[:, 0])
    spare, fired = torch.empty_like(potential), torch.empty_like(potential)
    for step in range(current.shape[1]):
        if dynamics.sign:
            potential.sub_(torch.bitwise_right_shift(potential, dynamics.shift, out=spare))
        else:
            potential >>= dynamics.shift
        potential.add_(current[:, step]).clamp_(-MAX_POTENTIAL, MAX_POTENTIAL)
        spikes[:, step] = torch.ge(potential, THRESHOLD, out=fired)
        if dynamics.remain:
            potential.sub_(fired, alpha=THRESHOLD)
        else:
            potential.addcmul_(potential, fired, value=-1)
    return spikes
