"""What a search returns: the network, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.cost.footprint import Footprint
from toolchain.graph.graph import Graph
from toolchain.search.board import Verdict
from toolchain.search.scores import Scores
from toolchain.search.sizing import Sizing

Role = Literal["reference", "largest"]
"""Why a cell was scored whatever the order: it is a reference, or the largest that fits."""

Stop = Literal["candidates", "time", "exhausted"]
"""What ended a position: enough cells were scored, its time was up, or all were seen."""


@dataclass(frozen=True)
class Candidate:
    """A cell that fits and was scored; ``weights`` of its convolutions are the baseline score."""

    cell: Cell
    verdict: Verdict
    weights: int
    scores: Scores
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Position:
    """The choice at one position: ``space`` cells, how many each limit dropped, how many were scored."""

    chosen: Candidate
    scored: tuple[Candidate, ...]
    dropped: dict[str, int]
    space: int
    stopped_by: Stop

    @property
    def references(self) -> tuple[Candidate, ...]:
        """The candidates that every position has."""
        return tuple(candidate for candidate in self.scored if candidate.roles)


@dataclass(frozen=True)
class SearchResult:
    """The winner, with its weightless ``graph`` and predicted ``footprint``, and every choice on the way."""

    architecture: Architecture
    graph: Graph
    footprint: Footprint
    sizing: Sizing
    positions: tuple[Position, ...]
    seconds: float

    @property
    def dropped(self) -> dict[str, int]:
        """Candidates dropped before any forward pass, by the limits that they break, over all positions."""
        totals: dict[str, int] = {}
        for position in self.positions:
            for limit, count in position.dropped.items():
                totals[limit] = totals.get(limit, 0) + count
        return totals

    @property
    def scored(self) -> int:
        """Candidates that were scored, over all positions."""
        return sum(len(position.scored) for position in self.positions)

    @property
    def space(self) -> int:
        """Cells there are, over all positions."""
        return sum(position.space for position in self.positions)
