"""Random search: networks drawn evenly from all that fit, trained like finalists, the best taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from toolchain.search.algorithms.base import Algorithm, Counts, Found
from toolchain.search.candidates import Candidate
from toolchain.search.choice import choose
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.problem import Problem
from toolchain.search.rounds import train_in_rungs, training_seconds
from toolchain.search.rungs import pool_size, seconds_per_image

BATCH = 256
"""Draws that are judged at once."""

MOST_DRAWS = 200
"""Batches without a network that fits, after which the reference alone is left."""


class RandomDraws(Algorithm):
    """The baseline that every search has to beat: the same trainings, of networks that nothing chose."""

    name: ClassVar[str] = "random"

    def run(self, problem: Problem, evaluation: Evaluation) -> Found:
        """See ``Algorithm.run``."""
        feasible = feasible_sizes(problem.board, problem.settings.operations)
        seconds = training_seconds(problem, evaluation, feasible.best)
        count = pool_size(seconds, seconds_per_image(feasible.board.graph(feasible.best)))
        counts = Counts()
        pool = []
        for candidate in draws(feasible, np.random.default_rng([problem.settings.seed, 2]), counts):
            pool.append(candidate)
            if len(pool) == count:
                break
        trained = train_in_rungs(problem, evaluation, pool, seconds)
        counts.trained = len(trained)
        return Found(
            choose(trained).candidate if trained else pool[0],
            feasible.board,
            counts,
            tuple(trained),
            keeps_pace=feasible.keeps_pace,
        )


def draws(feasible: Feasible, rng: np.random.Generator, counts: Counts | None = None) -> Iterator[Candidate]:
    """Different networks that fit, each size and each cell as likely as any other; at least one.

    ``counts`` are told of what was drawn and dropped.
    """
    counts = Counts() if counts is None else counts
    seen: set[str] = set()
    for _ in range(MOST_DRAWS):
        batch = []
        for index in rng.integers(len(feasible.grid), size=BATCH):
            sizes = feasible.grid[int(index)]
            cells = [feasible.cells[int(i)] for i in rng.integers(len(feasible.cells), size=sizes.cells)]
            batch.append(sizes.architecture(*cells))
        judged = feasible.screen.judge(batch)
        counts.space += BATCH
        for limit, dropped in judged.dropped.items():
            counts.dropped[limit] = counts.dropped.get(limit, 0) + dropped
        for index in np.flatnonzero(judged.fits):
            candidate = Candidate(feasible.board.judge(batch[index]), ("random",))
            if candidate.id not in seen:
                seen.add(candidate.id)
                yield candidate
    if not seen:
        yield Candidate(feasible.board.judge(feasible.best), ("reference",))
