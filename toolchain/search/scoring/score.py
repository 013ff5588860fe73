"""``score_cells``: every cell that one position can hold, scored with weights drawn from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolchain.architecture.cells import Cell, Operation, distinct_cells
from toolchain.graph.nodes import Leak
from toolchain.search.scoring.backend import Backend, choose, row
from toolchain.search.scoring.edges import Edges
from toolchain.search.scoring.placement import PLACEMENTS, Node, Placement, PlacementName, Reset
from toolchain.search.scoring.prefixes import Prefix, by_prefix
from toolchain.search.scoring.results import CellScores
from toolchain.search.scoring.sahd import log_determinants
from toolchain.search.scoring.weights import Drawn, draw, sample

Progress = Callable[[int, int], None]
"""Called with (cells scored, cells in all)."""

_DIRECT, _FIRST, _SECOND = 1, 5, 21
"""Where the tables of the edges 03, 13 (by the operation on 01) and 23 start; table 0 is zero."""

_TABLES = 25


def score_cells(
    source: Tensor,
    *,
    leak: Leak,
    reset: Reset,
    seed: int,
    neurons: int | None = None,
    placement: PlacementName = "node",
    cells: Sequence[Cell] | None = None,
    device: str | None = None,
    backend: Backend | None = None,
    progress: Progress | None = None,
) -> CellScores:
    """Score ``cells`` (default: all ``distinct_cells``) at the position that reads ``source``.

    ``source``: [T, N, C, H, W]; with ``placement`` ``node`` spikes 0 or 1, with ``edge`` real values (published
    networks: ``leak=PUBLISHED_LEAK, reset="zero"``). ``neurons``: compare only so many drawn neurons of each map.
    ``device``: a GPU if there is one, unless named. Scores depend on none of device, backend, threads and on
    which other cells are scored: every step on a device is exact or rounds the same way, and the last one, the
    log-determinants, is LAPACK's on the CPU. Raises ``ValueError`` for less than one neuron.
    """
    chosen_device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    scored = tuple(distinct_cells() if cells is None else cells)
    with torch.no_grad():
        position = _Position(
            source.to(chosen_device),
            draw(source.shape[2], seed),
            PLACEMENTS[placement](leak, reset),
            backend or choose(chosen_device),
            sample(source[0, 0].numel(), neurons, seed),
        )
        found = np.empty((len(scored), 3))
        done = 0
        for prefix, indices in by_prefix(scored).items():
            found[indices] = position.score(prefix, [scored[index] for index in indices])
            done += len(indices)
            if progress is not None:
                progress(done, len(scored))
    hamming, january, july = np.ascontiguousarray(found.T)
    return CellScores(scored, hamming, january, july, position.compared, position.edges.convolved)


class _Position:
    """The maps that cells share, each computed when a cell first needs it."""

    def __init__(
        self, source: Tensor, weights: Drawn, placement: Placement, backend: Backend, chosen: Tensor | None
    ) -> None:
        steps, images, channels, height, width = source.shape
        maps = source.permute(0, 1, 3, 4, 2).reshape(steps, images, -1)
        self._placement, self._backend = placement, backend
        self._chosen = None if chosen is None else chosen.to(source.device)
        self._size, self._steps, self._images = channels * height * width, steps, images
        self.compared = self._size if chosen is None else len(chosen)
        self.edges = Edges((height, width, channels), weights, placement, backend, self._chosen)
        self._source = placement.source(maps, backend)
        shape = (_TABLES, steps, images, row(self.compared))
        self._tables = torch.zeros(shape, dtype=torch.int16, device=source.device)
        self._written: set[int] = set()
        self._firsts: dict[Operation, Node] = {}
        self._kernels: dict[Operation, Tensor] = {}
        self._direct: dict[Operation, Tensor] = {}
        self._between: dict[Operation, Tensor] = {}
        self._between_first = Operation.ZEROIZE
        self._sum: Tensor | None = None

    def score(self, prefix: Prefix, cells: list[Cell]) -> NDArray[np.float64]:
        """Scores float64 [cells, 3] of cells with one prefix."""
        second = self._second(prefix) if prefix.exists else None
        self._written -= set(range(_SECOND, _TABLES))
        picks = torch.tensor([self._pick(cell, second) for cell in cells])
        total = self._backend.outputs(self._tables, picks, self._placement.dynamics, self.compared).cpu()
        times = torch.tensor([self._placement.times_scored(cell) for cell in cells], dtype=torch.float64)
        # By the operation on the edge 01; zeroize stands for the source.
        for operation in sorted({Operation.ZEROIZE, *(cell.operations[0] for cell in cells)}):
            mine = [operation in (Operation.ZEROIZE, cell.operations[0]) for cell in cells]
            share = times[:, int(operation != Operation.ZEROIZE)] * torch.tensor(mine)
            if share.any():
                total += share.reshape(-1, 1, 1) * self._kernel_of_first(operation)
        if second is not None and times[:, 2].any():
            total += times[:, 2].reshape(-1, 1, 1) * self._kernel(second)
        layers = (times.sum(1) + 1) * self._steps
        return log_determinants(total, layers, self.compared, self._images).numpy()

    def _pick(self, cell: Cell, second: Node | None) -> list[int]:
        """The tables that drive the cell's output, computed if they are not there."""
        first_edge, _, direct, _, from_first, from_second = cell.operations
        pick = [self._table(_DIRECT + direct - 1, self._source, (0, 3), direct), 0, 0]
        if from_first:
            place = _FIRST + 4 * (first_edge - 1) + from_first - 1
            pick[1] = self._table(place, self._first(first_edge), (1, 3), from_first)
        if second is not None:
            pick[2] = self._table(_SECOND + from_second - 1, second, (2, 3), from_second)
        return pick

    def _table(self, place: int, node: Node, edge: tuple[int, int], operation: Operation) -> int:
        if place not in self._written:
            self.edges.write(self._tables[place], node, edge, operation)
            self._written.add(place)
        return place

    def _first(self, operation: Operation) -> Node:
        """Node 1 with ``operation`` on the edge 01."""
        if operation not in self._firsts:
            drive = self.edges.table(self._source, (0, 1), operation)
            self._firsts[operation] = self._placement.node(drive, self._size, self._backend)
        return self._firsts[operation]

    def _second(self, prefix: Prefix) -> Node:
        """Node 2; the next call writes over it."""
        if self._between_first != prefix.first:
            self._between_first = prefix.first
            self._between.clear()
        drives = []
        if prefix.second:
            if prefix.second not in self._direct:
                self._direct[prefix.second] = self.edges.table(self._source, (0, 2), prefix.second)
            drives.append(self._direct[prefix.second])
        if prefix.between:
            if prefix.between not in self._between:
                first = self._first(prefix.first)
                self._between[prefix.between] = self.edges.table(first, (1, 2), prefix.between)
            drives.append(self._between[prefix.between])
        drive = drives[0]
        if len(drives) == 2:
            self._sum = torch.empty_like(drive) if self._sum is None else self._sum
            drive = torch.add(*drives, out=self._sum)
        return self._placement.node(drive, self._size, self._backend)

    def _kernel_of_first(self, operation: Operation) -> Tensor:
        """Kernels of node 1, or of the source for ``ZEROIZE``."""
        if operation not in self._kernels:
            self._kernels[operation] = self._kernel(self._first(operation) if operation else self._source)
        return self._kernels[operation]

    def _kernel(self, node: Node) -> Tensor:
        spikes = node.spikes if self._chosen is None else node.spikes[..., self._chosen]
        return self._backend.kernels(spikes).cpu()
