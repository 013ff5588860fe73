"""Takes operations away from the space, one at a time, and trains what is best without them.

Every cell of every position is scored once; what the scores say of a set of operations is their maximum over its
cells. The networks that stand for each set train once, equally and from the same seeds, and each network counts for
all sets that have its operations: what is reachable without an operation is reachable with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import to_text
from toolchain.errors import InputError
from toolchain.search.algorithms.spikenas import score_positions
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.cell_choice import RANKED_BY
from toolchain.search.choice import most_accurate, standard_error
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import feasible_sizes, permitted_cells
from toolchain.search.finalists import Rung, train
from toolchain.search.impact.candidates import candidates
from toolchain.search.impact.noise import difference_error, residual_deviation
from toolchain.search.impact.results import Impact, Score, SetImpact
from toolchain.search.impact.sets import REMOVABLE, ZEROIZE, OperationSet
from toolchain.search.problem import Problem
from toolchain.search.rounds import training_seconds
from toolchain.search.rungs import FEWEST_SEEN, MOST_SEEN, SEEN, seconds_per_image
from toolchain.search.scoring.results import Averages
from toolchain.search.seeds import training_seeds
from toolchain.search.standing import Standing
from toolchain.search.trainings import Extent

SEEDS = 3
"""Trainings of every network."""

FIRST_SHARE = 0.75
"""Share of a time budget for the sets that lack one operation; the rest is for those that lack several."""

ALL = OperationSet()


def analyse(problem: Problem, evaluation: Evaluation) -> Impact:
    """What removing each operation does, and removing all that cost nothing, one after another.

    Each network trains on ``SEEN`` images, or as long as the time budget lets it. Raises ``OverBudgetError`` if
    nothing of the full space fits, ``InputError`` if the time budget ends before every network was trained.
    """
    anchor = feasible_sizes(problem.board).best
    evaluation.progress(f"cells are scored at the positions of {to_text(anchor)}")
    work = _Work(problem, evaluation, score_positions(problem, evaluation, anchor))
    singles = [ALL, *(OperationSet(digit) for digit in REMOVABLE)]
    pools = [work.candidates(each) for each in singles]
    work.extent = Extent.of(_images_seen(problem, evaluation, pools), len(problem.data.train))
    work.train([candidate for pool in pools for candidate in pool])
    dropped = [ALL]
    tried = list(singles)
    for operation in _costless([work.impact(each) for each in singles]):
        wanted = dropped[-1].without(operation)
        if wanted.permitted == ZEROIZE:
            break  # something has to be left
        if wanted not in tried:
            tried.append(wanted)
            work.train(work.candidates(wanted))
        if work.impact(wanted).verdict == "costs nothing":
            dropped.append(wanted)
    # Each network that was trained belongs to the full set too and may be its best: all sets are seen once more.
    found = {each: work.impact(each) for each in tried}
    default = next(each for each in reversed(dropped) if found[each].verdict == "costs nothing")
    return Impact(
        problem.board, anchor, work.extent, work.seeds, work.deviation, tuple(found.values()), default
    )


class _Work:
    """Trains networks that were not yet trained, and says what those of a set came to."""

    def __init__(self, problem: Problem, evaluation: Evaluation, scores: Sequence[Averages]) -> None:
        self._problem, self._evaluation, self._scores = problem, evaluation, scores
        first = training_seeds(problem.settings)[0]
        self.seeds = tuple(range(first, first + SEEDS))
        self.extent = Extent.of(SEEN, len(problem.data.train))
        self._trained: dict[str, Trained] = {}

    @property
    def deviation(self) -> float:
        """Standard deviation of a training, by all that were done."""
        return residual_deviation(list(self._trained.values()))

    def candidates(self, operations: OperationSet) -> tuple[Candidate, ...]:
        """The networks that stand for ``operations``."""
        return candidates(self._problem.board, operations, self._scores)

    def train(self, pool: Iterable[Candidate]) -> None:
        """Train those of ``pool`` that were not."""
        new = list({each.id: each for each in pool if each.id not in self._trained}.values())
        if not new:
            return
        plan = [Rung(len(new), self.extent, self.seeds)]
        standing = Standing(self._evaluation, plan, self._problem.board.task)
        ended = train(self._evaluation, new, self.extent, self.seeds, 0, standing.seen)
        if len(ended) < len(new):
            raise InputError(
                f"the time budget ended after {len(ended) + len(self._trained)} of"
                f" {len(new) + len(self._trained)} networks were trained; go on with a larger --time-budget or none"
            )
        self._trained |= {each.candidate.id: each for each in ended}

    def impact(self, operations: OperationSet) -> SetImpact:
        """What the networks of ``operations`` came to, beside those of the full set."""
        every = list(self._trained.values())
        trained = tuple(each for each in every if _has_only(each, operations.permitted))
        cells = len(permitted_cells(operations.permitted))
        found = SetImpact(operations, cells, best_score(self._scores, operations), trained)
        if not trained:
            return found
        best, full = most_accurate(trained), most_accurate(every)
        as_good, of_all = _as_good(trained, every), _as_good(every, every)
        chosen, leanest = min(as_good, key=_size), min(as_good, key=_operations)
        same = best.candidate.id == full.candidate.id
        return replace(
            found,
            best=best,
            chosen=chosen,
            leanest=leanest,
            difference=best.quality - full.quality,
            error=0.0 if same else difference_error(self.deviation, len(self.seeds)),
            more_bytes=chosen.size_bytes - min(of_all, key=_size).size_bytes,
            more_operations=leanest.operations - min(of_all, key=_operations).operations,
        )


def _has_only(trained: Trained, permitted: str) -> bool:
    return all(set(str(cell)) <= set(permitted) for cell in trained.candidate.architecture.cells)


def _as_good(trained: Sequence[Trained], every: Sequence[Trained]) -> list[Trained]:
    """Those of ``trained`` within one standard error of their best, as ``choose`` would see them."""
    best = most_accurate(trained)
    enough = best.quality - standard_error(best, every)
    return [each for each in trained if each.quality >= enough]


def _size(each: Trained) -> tuple[int, float, str]:
    return each.size_bytes, -each.quality, each.candidate.id


def _operations(each: Trained) -> tuple[int, float, str]:
    return each.operations, -each.quality, each.candidate.id


def best_score(scores: Sequence[Averages], operations: OperationSet) -> Score | None:
    """The highest score of ``operations`` at each position, summed; None without scores."""
    if not scores:
        return None
    permitted = frozenset(permitted_cells(operations.permitted))
    allowed = np.array([cell in permitted for cell in distinct_cells()])
    best = [int(np.argmax(np.where(allowed, each.mean[RANKED_BY], -np.inf))) for each in scores]
    # Where every score is -inf the arg max is the first cell, permitted or not.
    total = sum(float(each.mean[RANKED_BY][index]) for each, index in zip(scores, best, strict=True))
    if not np.isfinite(total):
        return Score((), None, 0.0)
    variances = [
        float(each.deviation[RANKED_BY][index]) ** 2 for each, index in zip(scores, best, strict=True)
    ]
    return Score(tuple(str(distinct_cells()[index]) for index in best), total, float(np.sqrt(sum(variances))))


def _costless(sets: Iterable[SetImpact]) -> list[str]:
    """Operations that can go alone without a cost, those first whose going gains the most accuracy."""
    singles = [each for each in sets if len(each.operations.removed) == 1 and each.verdict == "costs nothing"]
    ranked = sorted(singles, key=lambda each: (-each.difference, each.cells, each.operations.removed))
    return [each.operations.removed for each in ranked]


def _images_seen(problem: Problem, evaluation: Evaluation, pools: Iterable[Sequence[Candidate]]) -> int:
    """Images that each network of ``pools`` trains on."""
    if problem.settings.time_budget_s is None:
        return SEEN
    every = {each.id: each for pool in pools for each in pool}
    costs = [seconds_per_image(problem.board.graph(each.architecture)) for each in every.values()]
    anchor = feasible_sizes(problem.board).best
    seconds = FIRST_SHARE * training_seconds(problem, evaluation, anchor)
    return round(min(MOST_SEEN, max(FEWEST_SEEN, seconds / (SEEDS * sum(costs)))))
