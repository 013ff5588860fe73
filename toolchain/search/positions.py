"""The second decision of a search, made once for each position: which cell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.search.board import Board, Verdict
from toolchain.search.cell_space import best
from toolchain.search.entries import candidate_entry, dropped_entry
from toolchain.search.journal import Journal
from toolchain.search.results import Candidate, Position, Role, Stop
from toolchain.search.scores import Scores
from toolchain.search.sizes import REFERENCE

Progress = Callable[[str], None]

REPORT_EVERY_S = 2.0
"""Seconds between two lines of progress."""


@dataclass
class PositionSearch:
    """Looks for the cell at ``position`` of ``architecture``, whose other cells are decided or held in reserve.

    ``cells`` are those to look at, the largest first. ``score`` gives a cell's scores in untrained networks;
    cells over budget never get that far. ``candidates`` are scored beside the references, in an order drawn
    from ``seed``.
    """

    board: Board
    architecture: Architecture
    position: int
    cells: tuple[Cell, ...]
    candidates: int
    seed: int
    score: Callable[[Cell], Scores]
    journal: Journal
    progress: Progress
    scored: list[Candidate] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    over_budget: int = 0

    def run(self, deadline: float | None) -> Position:
        """Score the references, then other cells until enough are scored or the ``deadline`` (monotonic) passes."""
        roles = self._references()
        for cell, why in roles.items():
            self._consider(cell, why)
        stopped_by = self._draw(set(roles), deadline)
        return Position(best(self.scored), tuple(self.scored), self.dropped, len(self.cells), stopped_by)

    def _references(self) -> dict[Cell, tuple[Role, ...]]:
        """The cells that are always looked at. The one held in reserve fits, so at least one can be scored."""
        roles: dict[Cell, tuple[Role, ...]] = {REFERENCE: ("reference",)}
        reserve = self.architecture.cells[self.position]
        roles.setdefault(reserve, ("reference",))
        largest = next(cell for cell in self.cells if self._judge(cell).fits)
        roles[largest] = (*roles.get(largest, ()), "largest")
        return roles

    def _draw(self, seen: set[Cell], deadline: float | None) -> Stop:
        order = np.random.default_rng([self.seed, self.position]).permutation(len(self.cells))
        wanted = len(self.scored) + self.candidates
        reported = time.monotonic()
        for index in order:
            if len(self.scored) >= wanted:
                return "candidates"
            if deadline is not None and time.monotonic() >= deadline:
                return "time"
            if self.cells[index] not in seen:
                self._consider(self.cells[index], ())
            if time.monotonic() - reported >= REPORT_EVERY_S:
                reported = time.monotonic()
                self._report()
        return "exhausted"

    def _consider(self, cell: Cell, roles: tuple[Role, ...]) -> None:
        verdict = self._judge(cell)
        if not verdict.fits:
            self.over_budget += 1
            for limit in verdict.dropped_by:
                self.dropped[limit] = self.dropped.get(limit, 0) + 1
            # Thousands may be dropped; they need not be on disk before the next candidate that is scored.
            self.journal.write(dropped_entry(self.position, cell, verdict, roles), sync=False)
            return
        started = time.monotonic()
        candidate = Candidate(cell, verdict, self._weights(cell), self.score(cell), roles)
        self.scored.append(candidate)
        self.journal.write(candidate_entry(self.position, candidate, time.monotonic() - started))

    def _judge(self, cell: Cell) -> Verdict:
        cells = list(self.architecture.cells)
        cells[self.position] = cell
        return self.board.judge(self.architecture.with_cells(tuple(cells)))

    def _weights(self, cell: Cell) -> int:
        return cell.weights(self.architecture.channels_at(self.position))

    def _report(self) -> None:
        leading = best(self.scored)
        self.progress(
            f"cell {self.position + 1} of {len(self.architecture.cells)}: {len(self.scored)} scored,"
            f" {self.over_budget} over budget, best {leading.cell}"
        )
