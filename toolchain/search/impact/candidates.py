"""The networks that stand for a set of operations: for each kind of cell the most promising one that fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.errors import OverBudgetError
from toolchain.search.algorithms.spikenas import kinds_of
from toolchain.search.board import Board
from toolchain.search.candidates import Candidate
from toolchain.search.cell_choice import best_cells
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.impact.sets import OperationSet
from toolchain.search.pool import DEAREST, Kind
from toolchain.search.prior import expected
from toolchain.search.rungs import seconds_per_image
from toolchain.search.scoring.results import Averages


def candidates(board: Board, operations: OperationSet, scores: Sequence[Averages]) -> tuple[Candidate, ...]:
    """One network within the budget for each kind of cell that the search would train with these ``operations``.

    ``scores`` are those of every cell at each position of the most promising network. Empty if nothing fits.
    """
    try:
        feasible = feasible_sizes(board, operations.permitted)
    except OverBudgetError:
        return ()
    best = [best_cells(each, feasible.reserve, feasible.cells) for each in scores]
    dearest_s = DEAREST * seconds_per_image(board.graph(feasible.best))
    found: dict[Architecture, list[str]] = {}
    for kind in kinds_of(feasible, best):
        for architecture in _promising(feasible, kind):
            if seconds_per_image(board.graph(architecture)) <= dearest_s:
                found.setdefault(architecture, []).append(kind.name)
                break
    return tuple(
        Candidate(feasible.board.judge(architecture), tuple(roles)) for architecture, roles in found.items()
    )


def _promising(feasible: Feasible, kind: Kind) -> Iterator[Architecture]:
    """The networks of ``kind`` that fit, the most promising first."""
    judged = feasible.screen.judge([kind.of(each) for each in feasible.grid])
    fitting = [feasible.grid[index] for index in np.flatnonzero(judged.fits)]
    for sizes in sorted(fitting, key=lambda each: (-expected(each, feasible.board.pixels), each)):
        yield kind.of(sizes)
