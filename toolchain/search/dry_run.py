"""What would fit and which limit binds, in seconds and without torch: no forward pass, nothing written."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.datasets import Dataset
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.search.board import Board, Verdict
from toolchain.search.cell_space import searched_cells
from toolchain.search.sizing import Sizing, choose_sizes


@dataclass(frozen=True)
class PositionOutlook:
    """Of the cells at one position, the others held in reserve: how many fit, how many each limit drops."""

    space: int
    fit: int
    dropped: dict[str, int]
    smallest: Verdict
    largest: Verdict


@dataclass(frozen=True)
class DryRun:
    """The sizes a search would take (``tried`` in order), and what remains to choose at each position."""

    tried: tuple[Verdict, ...]
    sizing: Sizing
    positions: tuple[PositionOutlook, ...]

    @property
    def binding(self) -> list[str]:
        """Limits that keep the network from being larger: those that the next larger size breaks."""
        return self.sizing.next_larger.dropped_by if self.sizing.next_larger else []


def dry_run(data: Dataset, profile: Profile, limits: Budget) -> DryRun:
    """Judge every size and every cell; raises ``OverBudgetError`` as the search would if nothing fits."""
    tried: list[Verdict] = []
    sizing = choose_sizes(Board.for_data(profile, limits, data), tried.append)
    positions = range(len(sizing.verdict.architecture.cells))
    return DryRun(tuple(tried), sizing, tuple(_outlook(sizing, position) for position in positions))


def _outlook(sizing: Sizing, position: int) -> PositionOutlook:
    architecture = sizing.verdict.architecture
    fitting, dropped = [], dict[str, int]()
    space = searched_cells(sizing.reserve)
    for cell in space:
        cells = list(architecture.cells)
        cells[position] = cell
        verdict = sizing.board.judge(architecture.with_cells(tuple(cells)))
        if verdict.fits:
            fitting.append(verdict)
        for limit in verdict.dropped_by:
            dropped[limit] = dropped.get(limit, 0) + 1
    return PositionOutlook(len(space), len(fitting), dropped, fitting[-1], fitting[0])
