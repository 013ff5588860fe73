"""Currents of a cell's edges, as tables of int16."""

from __future__ import annotations

import torch
from torch import Tensor

from toolchain.architecture.cells import Operation
from toolchain.search.scoring.backend import Backend, Extent, row
from toolchain.search.scoring.convolution import Convolution, convolution
from toolchain.search.scoring.placement import Node, Placement
from toolchain.search.scoring.weights import KERNELS, Drawn

EPSILON = 1e-5
"""Added to a variance by batch normalization (the default of ``nn.BatchNorm2d``)."""

CHUNK = 2**21
"""Elements of a convolution to compute at once, 8 MiB: they are read while in a cache, and larger blocks of memory
are mapped anew each time, which costs as much as a small convolution."""


class Edges:
    """Computes currents out of nodes; ``convolved`` counts the convolutions.

    ``chosen`` int64 [n] or None: the neurons that tables for the output node have.
    """

    def __init__(
        self, extent: Extent, weights: Drawn, placement: Placement, backend: Backend, chosen: Tensor | None
    ) -> None:
        self._extent = extent
        self._weights = weights
        self._placement, self._backend, self._chosen = placement, backend, chosen
        self._prepared: dict[tuple[tuple[int, int], Operation], Convolution] = {}
        self._spare: dict[str, Tensor] = {}
        self.convolved = 0

    def table(self, node: Node, edge: tuple[int, int], operation: Operation) -> Tensor:
        """The current of one edge for all neurons: int16 [T, B, R]."""
        shape = (*node.spikes.shape[:2], row(node.spikes.shape[2]))
        out = torch.zeros(shape, dtype=torch.int16, device=node.spikes.device)
        self._write(out, node, edge, operation, None)
        return out

    def write(self, out: Tensor, node: Node, edge: tuple[int, int], operation: Operation) -> None:
        """Write the current of one edge to the table ``out``, for the chosen neurons."""
        self._write(out, node, edge, operation, self._chosen)

    def _write(
        self, out: Tensor, node: Node, edge: tuple[int, int], operation: Operation, chosen: Tensor | None
    ) -> None:
        if operation in KERNELS:
            self._convolve(out, node.spikes, edge, operation, chosen)
        elif operation == Operation.SKIP:
            size = node.spikes.shape[2]
            carried = node.carried[..., :size] if chosen is None else node.carried[..., chosen]
            out[..., : carried.shape[2]].copy_(carried).mul_(self._placement.skip)
        else:
            whole = out
            if chosen is not None:
                shape = (*out.shape[:2], row(node.spikes.shape[2]))
                whole = self._buffer("pooled", shape, torch.int16, out.device)
            self._backend.pool(node.carried, self._extent, self._placement.window, whole)
            if chosen is not None:
                out[..., : len(chosen)] = whole[..., chosen]

    def _convolve(
        self, out: Tensor, spikes: Tensor, edge: tuple[int, int], operation: Operation, chosen: Tensor | None
    ) -> None:
        self.convolved += 1
        key = edge, operation
        if key not in self._prepared:
            self._prepared[key] = convolution(self._weights[key], spikes.device)
        maps = spikes.unflatten(2, self._extent).flatten(0, 1)
        neurons, channels = maps[0].numel(), self._extent[2]
        columns = neurons if chosen is None else len(chosen)
        sums = self._buffer("sums", (len(maps), columns), torch.float32, spikes.device)
        moments = torch.zeros(2, channels, dtype=torch.float64, device=spikes.device)
        step = max(1, CHUNK // neurons)
        for first in range(0, len(maps), step):
            part = self._prepared[key](maps[first : first + step])
            moments += torch.stack(self._backend.moments(part))
            part = part.flatten(1)
            sums[first : first + step] = part if chosen is None else part.index_select(1, chosen)
        factor, offset = self._normalization(
            moments, len(maps) * neurons // channels, self._weights[key].unit
        )
        if chosen is not None:
            factor, offset = factor[chosen % channels], offset[chosen % channels]
        self._backend.scale(sums, factor, offset, out)

    def _normalization(self, moments: Tensor, count: int, unit: float) -> tuple[Tensor, Tensor]:
        """Factor and offset, float32 [C], that turn sums of weights into normalized currents.

        Batch normalization with the statistics of the batch, gain 1 and bias 0, from sums and sums of squares of
        ``count`` elements, float64 [2, C].
        """
        mean, square = moments / count
        variance = (square - mean.square()).clamp_(min=0.0)
        factor = self._placement.unit * unit / (variance * unit**2 + EPSILON).sqrt()
        return factor.float(), (-mean * factor).float()

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
        """Memory that is used again by the next call with this name and shape."""
        kept = self._spare.get(name)
        if kept is None or kept.shape != shape:
            kept = self._spare[name] = torch.empty(shape, dtype=dtype, device=device)
        return kept
