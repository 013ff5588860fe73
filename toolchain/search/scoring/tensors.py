"""The integer operations of scoring in torch, for machines without numba and for accelerators."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

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

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, chosen: Tensor | None, out: Tensor) -> None:
        steps, images, _, channels = sums.shape
        if chosen is not None:
            sums = sums.reshape(steps, images, -1)[..., chosen]
            factor, offset = factor[chosen % channels], offset[chosen % channels]
        # Product and sum are rounded one after the other, as in the compiled kernel: no fused multiply-add.
        scaled = sums.mul(factor).add_(offset).round_().clamp_(-MAX_CURRENT, MAX_CURRENT)
        scaled = scaled.reshape(steps, images, -1)
        out[..., : scaled.shape[-1]] = scaled.to(torch.int16)

    def pool(self, values: Tensor, divisor: float) -> Tensor:
        maps = values.flatten(0, 1).permute(0, 3, 1, 2).float()
        # Sums of nine integers are exact in float32; no quotient is near enough to a half to be rounded wrongly.
        summed = functional.avg_pool2d(maps, 3, 1, 1, divisor_override=1)
        pooled = summed.div_(divisor).round_().to(torch.int16).permute(0, 2, 3, 1)
        return pooled.contiguous().unflatten(0, values.shape[:2])

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        return integrate(drive[..., :neurons].unsqueeze(0), dynamics)[0]

    def distances(self, spikes: Tensor) -> Tensor:
        flat = spikes.float()
        # Counts of coinciding spikes are whole numbers below 2^24: exact in float32.
        both = torch.matmul(flat, flat.transpose(-1, -2)).to(torch.int32)
        fired = torch.diagonal(both, dim1=-2, dim2=-1)
        result = fired.unsqueeze(-1) + fired.unsqueeze(-2) - 2 * both
        torch.diagonal(result, dim1=-2, dim2=-1).copy_(fired)
        return result

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics) -> Tensor:
        step = max(1, CHUNK.get(tables.device.type, CHUNK["cpu"]) // tables[0].numel())
        found = []
        for part in picks.to(tables.device).split(step):
            first, second, third = part.unbind(1)
            current = tables[first].add_(tables[second]).add_(tables[third])
            found.append(self.distances(integrate(current, dynamics)))
        return torch.cat(found)


def integrate(current: Tensor, dynamics: Dynamics) -> Tensor:
    """Spikes uint8 of neurons driven by ``current``, int16; both [G, T, ...]."""
    spikes = torch.empty(current.shape, dtype=torch.uint8, device=current.device)
    potential = torch.zeros_like(current[:, 0])
    for step in range(current.shape[1]):
        leaked = potential * dynamics.keep + (potential >> dynamics.shift) * dynamics.sign
        potential = leaked.add_(current[:, step]).clamp_(-MAX_POTENTIAL, MAX_POTENTIAL)
        fired = potential >= THRESHOLD
        spikes[:, step] = fired
        potential = torch.where(fired, (potential - THRESHOLD) * dynamics.remain, potential)
    return spikes
