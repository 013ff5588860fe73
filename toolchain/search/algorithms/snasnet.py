"""The search of Kim et al. (ECCV 2022, arXiv 2201.10355) in its own space: random cells, each in a fresh network.

Nothing is trained: the cell with the highest sparsity-aware Hamming distance score (the paper's form, of July 2022)
is taken. What the paper does not have is a board: the network is made as narrow as half of the drawn cells need to
fit, and drawn cells that do not fit are dropped before any forward pass.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.cost.snasnet import operations
from toolchain.errors import InputError
from toolchain.search.algorithms.base import Algorithm, Counts, Found, ScoredCell
from toolchain.search.board import Board
from toolchain.search.candidates import Candidate
from toolchain.search.evaluation import Evaluation, Result
from toolchain.search.problem import Problem
from toolchain.search.scoring.structural import convolutions, longest_path
from toolchain.search.settings import OPERATIONS
from toolchain.search.snasnet import CANDIDATES
from toolchain.search.snasnet.draw import draw
from toolchain.search.snasnet.jobs import REPEATS, batch_for, snasnet_job
from toolchain.search.snasnet.sizes import largest_fitting, smallest, with_cell

SCORE = "sahd_2022_07"
"""The score that decides."""

SCORES = ("sahd_2022_01", SCORE, "hamming")
FEWEST, DEFAULT = 10, 100
"""Cells drawn without a time budget."""

MOST_SECONDS = 900.0
"""Core seconds that these may take, of which there are fewer for wide networks."""

MACS_PER_SECOND = 4.6e10
"""Dense operations that a server core of 2026 scores a second (measured, C = 128)."""

TOLD = 5
"""Cells with the highest scores that are told of."""


class Snasnet(Algorithm):
    """Random draws, scored without training."""

    name: ClassVar[str] = "snasnet"

    def check(self, board: Board) -> None:
        """See ``Algorithm.check``; a microcontroller takes no network of this space, which tells classes of images."""
        if board.widths != (8,):
            raise InputError(
                "networks of the snasnet space have float weights; leave --bits or --algorithm snasnet away"
            )
        if board.task == "regression":
            raise InputError(
                "networks of the snasnet space tell classes, as those published do; leave --algorithm snasnet away"
            )
        if board.preprocessing.frames > 1:
            raise InputError(
                "networks of the snasnet space see one image, not a frame each time step; give --frames 1 or leave "
                "--algorithm snasnet away"
            )
        smallest(board)

    def run(self, problem: Problem, evaluation: Evaluation) -> Found:
        """See ``Algorithm.run``."""
        board, settings = problem.board, problem.settings
        rng = np.random.default_rng([settings.seed, 5])
        cells = _drawn(rng, settings.operations, DEFAULT if settings.time_budget_s is None else CANDIDATES)
        size = largest_fitting(board, cells)
        batch = batch_for(size, board.pixels, len(problem.data.train))
        if settings.time_budget_s is None:
            cells = cells[: _affordable(size, cells, problem, batch)]
        counts = Counts(space=len(cells))
        judged = {cell: board.judge(with_cell(size, cell)) for cell in dict.fromkeys(cells)}
        for cell in cells:
            for limit in judged[cell].dropped_by:
                counts.dropped[limit] = counts.dropped.get(limit, 0) + 1
        seeds = rng.integers(2**31, size=len(cells)).tolist()
        fitting = [(cell, seed) for cell, seed in zip(cells, seeds, strict=True) if judged[cell].fits]
        evaluation.progress(
            f"C = {size.channels}: {len(cells):,} random cells drawn (published: {CANDIDATES:,};"
            f" --time-budget scores as many as it allows), {len(cells) - len(fitting):,} over budget; each gets a"
            f" fresh network and {REPEATS} batches of {batch}"
        )
        jobs = [snasnet_job(with_cell(size, cell), seed, batch) for cell, seed in fitting]
        standing = _Standing(evaluation, jobs)
        results = evaluation.results(jobs, ended=standing.seen)
        scored = [(cell, found) for (cell, _), found in zip(fitting, results, strict=True) if found]
        counts.scored = len(scored)
        # The sort is stable: of equal scores the first drawn.
        scored.sort(key=lambda pair: -_value(pair[1]))
        if scored:
            chosen = Candidate(judged[scored[0][0]], ("highest score",))
        else:  # nothing drawn fits, or there was no time
            first = with_cell(size, fitting[0][0]) if fitting else smallest(board)
            chosen = Candidate(board.judge(first), ("not scored",))
        return Found(chosen, board, counts, cells=tuple(_told(*pair) for pair in scored[:TOLD]))


class _Standing:
    """Prints a line whenever another tenth is scored."""

    def __init__(self, evaluation: Evaluation, jobs: list[dict[str, object]]) -> None:
        self._evaluation, self._jobs = evaluation, jobs
        self._ended, self._best, self._line = 0, -math.inf, ""

    def seen(self, index: int, result: Result) -> None:
        """A job ended."""
        self._ended += 1
        if _value(result) > self._best or not self._line:
            self._best, self._line = _value(result), str(self._jobs[index]["architecture"])
        if self._ended * 10 // len(self._jobs) > (self._ended - 1) * 10 // len(self._jobs):
            self._evaluation.progress(
                f"{self._ended:,} of {len(self._jobs):,} scored; best so far {self._best:.2f} {self._line}"
            )


def _drawn(rng: np.random.Generator, operations: str, count: int) -> list[Cell]:
    """So many random cells, drawn again while an edge has an operation that is not among ``operations``."""
    cells: list[Cell] = []
    while len(cells) < count:
        cell = draw(rng)
        if operations == OPERATIONS or set(str(cell)) <= set(operations):
            cells.append(cell)
    return cells


def _affordable(size: SnasnetArchitecture, cells: list[Cell], problem: Problem, batch: int) -> int:
    """Candidates that are scored where no time budget says it: a deterministic estimate."""
    pixels, classes = problem.board.pixels, len(problem.data.labels)
    dense = [operations(with_cell(size, cell), pixels, classes).dense for cell in cells]
    seconds = sum(dense) / len(dense) * batch * REPEATS / MACS_PER_SECOND
    return max(FEWEST, int(MOST_SECONDS / seconds))


def _value(result: Result) -> float:
    score = result[SCORE]
    return -math.inf if score is None else float(score)


def _told(cell: Cell, result: Result) -> ScoredCell:
    scores = {name: -math.inf if result[name] is None else float(result[name]) for name in SCORES}
    return ScoredCell(0, str(cell), ("both positions",), scores, 0.0, longest_path(cell), convolutions(cell))
