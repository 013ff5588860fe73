"""Drawn weights of a cell's convolutions, one set for each (edge, operation), shared by all cells.

A weight is drawn as ``nn.Conv2d`` draws it (Kaiming uniform: within 1 / sqrt(fan in)) and rounded to the int8 of
the deployed network. Spikes are 0 or 1, so a convolution is a sum of whole numbers, below 2^24 up to 14,678
channels: float32 holds it exactly, in whatever order, by whatever routine, on whatever device it is computed.
Batch normalization removes the scale but for its epsilon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from toolchain.architecture.cells import EDGES, Operation

LARGEST = 127
"""Largest magnitude of a weight."""

KERNELS = {Operation.CONV1X1: 1, Operation.CONV3X3: 3}
"""Side of the windows of the operations that have weights."""


@dataclass(frozen=True, eq=False)
class Weights:
    """int8 [out, in, k, k] on the CPU; ``unit``: what a weight of 1 stands for."""

    values: Tensor
    unit: float

    @property
    def kernel(self) -> int:
        """k, the side of the window."""
        return self.values.shape[-1]


Drawn = dict[tuple[tuple[int, int], Operation], Weights]
"""By edge, (source node, target node), and operation."""


def draw(channels: int, seed: int) -> Drawn:
    """The weights of all twelve convolutions at this width; they depend on the seed and the width alone."""
    generator = _generator(seed, "weights")
    drawn = {}
    for edge in EDGES:
        for operation, kernel in KERNELS.items():
            share = torch.rand(channels, channels, kernel, kernel, generator=generator) * 2 - 1
            bound = (channels * kernel**2) ** -0.5
            drawn[edge, operation] = Weights((share * LARGEST).round().to(torch.int8), bound / LARGEST)
    return drawn


def sample(size: int, neurons: int | None, seed: int) -> Tensor | None:
    """Sorted indices, int64 [neurons], of the neurons to score out of ``size``; None for all of them.

    They depend on the seed, the size and the number alone. Raises ``ValueError`` for less than one neuron.
    """
    if neurons is None or neurons >= size:
        return None
    if neurons < 1:
        raise ValueError(f"a map is scored by at least one neuron, not {neurons}")
    return torch.randperm(size, generator=_generator(seed, "sample"))[:neurons].sort()[0]


def _generator(seed: int, purpose: str) -> torch.Generator:
    """Numbers of their own for each purpose: the network before the cell draws from the seed itself."""
    state = np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1, np.uint32)
    return torch.Generator().manual_seed(int(state[0]))
