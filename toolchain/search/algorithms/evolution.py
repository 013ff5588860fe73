"""Evolution: NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Trans. Evol. Comput. 6(2), 2002) by Optuna.

Accuracy after a short training and the bytes that a network takes are the objectives. What does not fit is drawn
again before anything is computed. The leaders train once more, longer, and the choice is made among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from toolchain.errors import ToolMissingError
from toolchain.search.algorithms.base import Algorithm, Counts, Found
from toolchain.search.algorithms.population import Population
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.choice import choose
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.finalists import Rung, train
from toolchain.search.problem import Problem
from toolchain.search.rounds import further_rounds, training_seconds
from toolchain.search.rungs import FEWEST_SEEN, LONGER, MOST_SEEN, SEEN, seconds_per_image
from toolchain.search.seeds import training_seeds
from toolchain.search.standing import Standing
from toolchain.search.trainings import Extent

POPULATION = 8
"""Networks of a generation, whatever the number of workers, so that the result does not depend on it."""

FEWEST_GENERATIONS, MOST_GENERATIONS = 3, 20
"""Fewer would be random draws; the least are bred even where they take more than their share of the seconds."""

EVOLVING = 2 / 3
"""Share of the seconds for trainings that generations take; the leaders have the rest."""

LEADERS = 4
"""Networks that train longer at the end: the most accurate of all generations."""


class Evolution(Algorithm):
    """Sizes and cells evolve together. Raises ``ToolMissingError`` if Optuna is not installed."""

    name: ClassVar[str] = "evolution"

    def __init__(self) -> None:
        if find_spec("optuna") is None:
            raise ToolMissingError(
                "searching by evolution needs Optuna: pip install 'spikenas-deploy[evolution]'"
            )

    def run(self, problem: Problem, evaluation: Evaluation) -> Found:
        """See ``Algorithm.run``."""
        feasible = feasible_sizes(problem.board, problem.settings.operations)
        seconds = training_seconds(problem, evaluation, feasible.best)
        counts = Counts()
        trained = _evolve(problem, evaluation, feasible, seconds, counts)
        counts.trained = len(trained)
        return Found(
            choose(trained).candidate if trained else _reference(feasible),
            feasible.board,
            counts,
            tuple(trained),
            keeps_pace=feasible.keeps_pace,
        )


@dataclass(frozen=True)
class _Plan:
    """How long each network of a generation trains, and about how many generations there are seconds for."""

    extent: Extent
    generations: int

    @classmethod
    def of(cls, seconds: float, per_image_s: float, available: int) -> _Plan:
        """A plan for trainings of ``seconds`` in all; an image of the most promising network takes ``per_image_s``."""
        images = EVOLVING * seconds / per_image_s
        generations = min(MOST_GENERATIONS, max(FEWEST_GENERATIONS, int(images / (POPULATION * SEEN))))
        seen = round(min(MOST_SEEN, max(FEWEST_SEEN, images / (POPULATION * generations))))
        return cls(Extent.of(seen, available), generations)


def _evolve(
    problem: Problem, evaluation: Evaluation, feasible: Feasible, seconds: float, counts: Counts
) -> list[Trained]:
    """All that was trained, the leaders with their longer trainings; about ``seconds`` core seconds of trainings."""

    def cost_s(each: Candidate) -> float:
        return seconds_per_image(problem.board.graph(each.architecture))

    available = len(problem.data.train)
    first, *others = training_seeds(problem.settings)
    plan = _Plan.of(seconds, cost_s(_reference(feasible)), available)
    short = Rung(POPULATION * plan.generations, plan.extent, (first,))
    standing = Standing(evaluation, [short], problem.board.task)
    population = Population(feasible, problem.settings, POPULATION, counts)
    trained: list[Trained] = []
    spent_s = 0.0
    for generation in range(1, MOST_GENERATIONS + 1):
        drawn = population.draw()
        ended = train(evaluation, drawn, short.extent, short.seeds, 0, standing.seen)
        population.tell(ended)
        trained += ended
        spent_s += short.extent.images_seen * sum(map(cost_s, drawn))
        if len(ended) < len(drawn):
            return trained  # the time budget ended
        if not drawn:
            break  # nothing new fits
        if generation >= FEWEST_GENERATIONS and spent_s >= EVOLVING * seconds:
            break
    if not trained:
        return trained
    ranked = sorted(trained, key=lambda each: (-each.quality, each.size_bytes, each.candidate.id))
    leaders = [each.candidate for each in ranked[:LEADERS]]
    images = (seconds - spent_s) / (len(others) * sum(map(cost_s, leaders)))
    seen = round(min(LONGER * MOST_SEEN, max(short.extent.images_seen, images)))
    last = Rung(len(leaders), Extent.of(seen, available), tuple(others))
    standing = Standing(evaluation, [short, last], problem.board.task)
    longer = train(evaluation, leaders, last.extent, last.seeds, 1, standing.seen)
    if problem.settings.time_budget_s is not None and len(longer) == len(leaders):
        further_rounds(evaluation, longer, last, standing)
    return list({each.candidate.id: each for each in [*trained, *longer]}.values())


def _reference(feasible: Feasible) -> Candidate:
    return Candidate(feasible.board.judge(feasible.best), ("reference",))
