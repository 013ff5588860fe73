"""The integer operations of scoring in torch, for machines without numba and for accelerators."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from toolchain.search.scoring import sahd
from toolchain.search.scoring.backend import Extent
from toolchain.search.scoring.fixed_point import MAX_CURRENT, MAX_POTENTIAL, THRESHOLD, Dynamics

CHUNK = {"cpu": 2**21, "cuda": 2**27}
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
        return integrate(drive[..., :neurons].unsqueeze(0), dynamics)[0]

    def kernels(self, spikes: Tensor) -> Tensor:
        return sahd.kernels(distances(spikes), spikes.shape[-1])

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        step = max(1, CHUNK.get(tables.device.type, CHUNK["cpu"]) // tables[0].numel())
        found = []
        for part in picks.to(tables.device).split(step):
            first, second, third = part.unbind(1)
            current = tables[first].add_(tables[second]).add_(tables[third])
            found.append(sahd.kernels(distances(integrate(current, dynamics)), neurons))
        return torch.cat(found)


def distances(spikes: Tensor) -> Tensor:
    """Hamming distances int32 [..., B, B] of spikes [..., B, n]; on the diagonal how many fired."""
    flat = spikes.float()
    # Counts of coinciding spikes are whole numbers below 2^24: exact in float32.
    both = torch.matmul(flat, flat.transpose(-1, -2)).to(torch.int32)
    fired = torch.diagonal(both, dim1=-2, dim2=-1)
    result = fired.unsqueeze(-1) + fired.unsqueeze(-2) - 2 * both
    torch.diagonal(result, dim1=-2, dim2=-1).copy_(fired)
    return result


def integrate(current: Tensor, dynamics: Dynamics) -> Tensor:
    """Spikes uint8 of neurons driven by ``current``, int16; both [G, T, ...]."""
    spikes = torch.empty(current.shape, dtype=torch.uint8, device=current.device)
    potential = torch.zeros_like(current[:, 0])
    for step in range(current.shape[1]):
        leaked = (potential >> dynamics.shift) ^ dynamics.sign
        potential = (potential & dynamics.keep).add_(leaked).sub_(dynamics.sign)
        potential.add_(current[:, step]).clamp_(-MAX_POTENTIAL, MAX_POTENTIAL)
        fired = potential >= THRESHOLD
        spikes[:, step] = fired
        potential = torch.where(fired, (potential - THRESHOLD) & dynamics.remain, potential)
    return spikes
