"""The default algorithm, after the steps of SpikeNAS (Putra and Shafique, arXiv 2402.11322), in our own form.

1. Sizes: the whole grid is held against the budget; what does not fit is never computed.
2. Cells: at the most promising size every distinct cell of every position is scored, averaged over seeds. SAHD
   alone chooses little better than chance, so it only ranks cells whose longest path of convolutions is equally
   long, and training decides how long it should be.
3. Finalists: a stratified pool trains in rungs, and the smallest network within one standard error is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell, distinct_cells
from toolchain.architecture.text import to_text
from toolchain.search.algorithms.base import Algorithm, Counts, Found, ScoredCell
from toolchain.search.cell_choice import PATHS, best_cells, told
from toolchain.search.choice import choose
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.pool import Kind, build_pool
from toolchain.search.position_scores import averaged, scores_job
from toolchain.search.problem import Problem
from toolchain.search.rounds import train_in_rungs, training_seconds
from toolchain.search.rungs import pool_size, seconds_per_image
from toolchain.search.scoring.results import Averages
from toolchain.search.seeds import weight_seeds
from toolchain.search.space import LARGEST, SMALLEST


class SpikeNas(Algorithm):
    """Sizes by the cost model, cells by exhaustive scores, the choice by training."""

    name: ClassVar[str] = "spikenas"

    def run(self, problem: Problem, evaluation: Evaluation) -> Found:
        """See ``Algorithm.run``."""
        feasible = feasible_sizes(problem.board, problem.settings.operations)
        anchor = feasible.best
        evaluation.progress(
            f"{len(feasible.grid):,} sizes, {len(feasible.sizes):,} fit; the most promising: {to_text(anchor)}"
        )
        scores = score_positions(problem, evaluation, anchor)
        best = [best_cells(each, feasible.reserve, feasible.cells) for each in scores]
        seconds = training_seconds(problem, evaluation, anchor)
        count = pool_size(seconds, seconds_per_image(feasible.board.graph(anchor)))
        pool = build_pool(feasible, kinds_of(feasible, best), count)
        trained = train_in_rungs(problem, evaluation, pool, seconds)
        scored = sum(len(distinct_cells()) for _ in scores)
        return Found(
            # With no time for a single training the most promising network is all that can be said.
            chosen=choose(trained).candidate if trained else pool[0],
            board=feasible.board,
            counts=Counts(len(feasible.grid), feasible.dropped, scored, len(trained)),
            trained=tuple(trained),
            cells=tuple(_told(feasible.reserve, scores, best)),
            keeps_pace=feasible.keeps_pace,
        )


def score_positions(problem: Problem, evaluation: Evaluation, architecture: Architecture) -> list[Averages]:
    """Scores of every cell at each position of ``architecture``; none if a time budget ended before all were done."""
    seeds = weight_seeds(problem.settings)
    positions = range(len(architecture.cells))
    batch = problem.settings.batch
    jobs = [scores_job(architecture, position, seed, batch) for position in positions for seed in seeds]
    results = evaluation.results(jobs)
    ended = [result for result in results if result is not None]
    if len(ended) < len(jobs):
        return []
    found = [averaged(ended[start : start + len(seeds)]) for start in range(0, len(jobs), len(seeds))]
    seconds = sum(result["seconds"] for result in ended)
    evaluation.progress(
        f"scored all {len(distinct_cells()):,} cells at {len(found)} positions with {len(seeds)} seeds in"
        f" {seconds:.1f} core seconds"
    )
    return found


def kinds_of(feasible: Feasible, best: Sequence[dict[int, Cell]]) -> list[Kind]:
    """What kinds of cells the pool has: the references, and the best of each length of path where it was scored."""
    kinds = [Kind("reference", (feasible.reserve,))]
    for length in PATHS:
        if best and all(length in position for position in best):
            kinds.append(Kind(f"path of {length}", tuple(position[length] for position in best)))
    for name, cell in (("skip", SMALLEST), ("six 3x3", LARGEST)):
        if cell in feasible.cells and cell != feasible.reserve:
            kinds.append(Kind(name, (cell,)))
    return kinds


def _told(reserve: Cell, scores: Sequence[Averages], best: Sequence[dict[int, Cell]]) -> list[ScoredCell]:
    found: list[ScoredCell] = []
    for position, (values, cells) in enumerate(zip(scores, best, strict=True)):
        roles = {reserve: "reference"} | {cell: f"path of {length}" for length, cell in cells.items()}
        found += told(position, values, roles)
    return found
