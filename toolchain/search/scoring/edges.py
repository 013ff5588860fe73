"""Currents of a cell's edges, as tables of int16."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from toolchain.architecture.cells import Operation
from toolchain.search.scoring.backend import Backend, row
from toolchain.search.scoring.convolution import convolve
from toolchain.search.scoring.placement import Node, Placement
from toolchain.search.scoring.weights import KERNELS, Drawn, Weights

EPSILON = 1e-5
"""Added to a variance by batch normalization (the default of ``nn.BatchNorm2d``)."""

Extent = tuple[int, int, int]
"""Height, width and channels of a position's maps; neurons are numbered in this order."""


@dataclass(eq=False)
class Edges:
    """Computes currents out of nodes; ``convolved`` counts the convolutions."""

    extent: Extent
    weights: Drawn
    placement: Placement
    backend: Backend
    convolved: int = 0

    def write(
        self,
        out: Tensor,
        node: Node,
        edge: tuple[int, int],
        operation: Operation,
        chosen: Tensor | None = None,
    ) -> None:
        """Write the current of one edge to the table ``out`` [T, B, R], of all neurons or of the ``chosen``."""
        if operation in KERNELS:
            self._convolve(out, node.spikes, self.weights[edge, operation], chosen)
            return
        if operation == Operation.SKIP:
            current = self.placement.skip(node.carried)
        else:
            maps = node.carried.unflatten(2, self.extent)
            current = self.backend.pool(maps, self.placement.window).flatten(2)
        current = current if chosen is None else current[..., chosen]
        out[..., : current.shape[2]] = current

    def table(self, node: Node, edge: tuple[int, int], operation: Operation) -> Tensor:
        """The current of one edge for all neurons."""
        shape = (*node.spikes.shape[:2], row(node.spikes.shape[2]))
        out = torch.zeros(shape, dtype=torch.int16, device=node.spikes.device)
        self.write(out, node, edge, operation)
        return out

    def _convolve(self, out: Tensor, spikes: Tensor, weights: Weights, chosen: Tensor | None) -> None:
        self.convolved += 1
        maps = spikes.unflatten(2, self.extent).flatten(0, 1)
        sums = convolve(maps, weights).flatten(1, 2)
        factor, offset = self._normalization(sums, weights.unit)
        self.backend.scale(sums.unflatten(0, spikes.shape[:2]), factor, offset, chosen, out)

    def _normalization(self, sums: Tensor, unit: float) -> tuple[Tensor, Tensor]:
        """Factor and offset, float32 [C], that turn sums of weights into normalized currents.

        Batch normalization with the statistics of the batch, gain 1 and bias 0.
        """
        count = sums.shape[0] * sums.shape[1]
        total, squares = self.backend.moments(sums)
        mean = total / count
        variance = (squares / count - mean.square()).clamp_(min=0.0)
        factor = self.placement.unit * unit / (variance * unit**2 + EPSILON).sqrt()
        return factor.float(), (-mean * factor).float()
