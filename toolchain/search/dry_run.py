"""What would fit and which limit binds, in seconds and without torch: no forward pass, nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from toolchain.architecture.cells import distinct_cells
from toolchain.search.board import Board, Verdict
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.operation_sets import operations_for
from toolchain.search.space import CHANNELS, Sizes


@dataclass(frozen=True)
class PositionOutlook:
    """Of the cells at one position, the others held in reserve: how many fit, how many each limit drops."""

    space: int
    fit: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class DryRun:
    """The sizes that fit, the most promising one's ``verdict``, and what remains to choose at each position.

    ``next_larger`` is the verdict on the same network with more channels; None if there are none.
    """

    feasible: Feasible
    verdict: Verdict
    next_larger: Verdict | None
    positions: tuple[PositionOutlook, ...]

    @property
    def binding(self) -> list[str]:
        """Limits that keep the network from being larger: those that more channels break."""
        return self.next_larger.dropped_by if self.next_larger else []


def dry_run(board: Board) -> DryRun:
    """Judge every size, and every cell at the best; raises ``OverBudgetError`` as the search would if nothing fits."""
    feasible = feasible_sizes(board, operations_for(board))
    best = feasible.sizes[0]
    return DryRun(
        feasible,
        feasible.board.judge(feasible.best),
        next(_larger(feasible, best), None),
        tuple(_outlook(feasible, position) for position in range(best.cells)),
    )


def _larger(feasible: Feasible, sizes: Sizes) -> Iterator[Verdict]:
    for channels in CHANNELS:
        if channels > sizes.stem_channels:
            wider = replace(sizes, stem_channels=channels).architecture(feasible.reserve)
            verdict = feasible.board.judge(wider)
            if not verdict.fits:
                yield verdict


def _outlook(feasible: Feasible, position: int) -> PositionOutlook:
    judged = feasible.screen.cells(feasible.best, position)
    permitted = np.isin([str(cell) for cell in distinct_cells()], [str(cell) for cell in feasible.cells])
    dropped = {limit: int((over & permitted).sum()) for limit, over in judged.over.items()}
    return PositionOutlook(
        len(feasible.cells),
        int((judged.fits & permitted).sum()),
        {limit: count for limit, count in dropped.items() if count},
    )
