"""Trains a pool: in rungs as long as there are seconds for, and then in rounds of further seeds until time is up."""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.architecture.architecture import Architecture
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.choice import most_accurate
from toolchain.search.evaluation import Evaluation
from toolchain.search.finalists import Rung, halve, train
from toolchain.search.problem import Problem
from toolchain.search.rungs import EVALUATED, rungs, seconds_per_image
from toolchain.search.seeds import training_seeds
from toolchain.search.standing import Standing
from toolchain.search.trainings import BATCH, MOST_HELD_OUT, Extent, training_job

SECONDS_PER_TRAINING_IMAGE = 0.025
"""Default core seconds spent on candidates for each image of the training set: about what a training takes."""

MOST_SECONDS = 900.0
"""Default core seconds at most: some eight minutes on two cores."""

PLANNED_SHARE = 0.85
"""Share of a time budget that rungs are planned for; the estimate of what they take errs by so much."""

PROBE_STEPS = 12
"""Steps of the trainings that tell how fast this machine is."""

MOST_ROUNDS = 100
"""Further seeds that each finalist trains from at most."""


def training_seconds(problem: Problem, evaluation: Evaluation, anchor: Architecture) -> float:
    """Core seconds, of the machine that ``rungs`` was fitted on, that trainings of candidates may take.

    With a time budget, short trainings of ``anchor`` on all workers at once tell how fast this machine is.
    """
    if problem.settings.time_budget_s is None:
        return min(MOST_SECONDS, SECONDS_PER_TRAINING_IMAGE * len(problem.data.train))
    # Remembered, because another sitting may have other workers, and no time left to measure.
    return evaluation.once("seconds for trainings", lambda: _affordable_seconds(problem, evaluation, anchor))


def _affordable_seconds(problem: Problem, evaluation: Evaluation, anchor: Architecture) -> float:
    extent = Extent.of(PROBE_STEPS * BATCH, len(problem.data.train))
    images = extent.images_seen + EVALUATED * _held_out(problem)
    expected_s = images * seconds_per_image(problem.board.graph(anchor))
    # A worker's first training also warms up, so each gets two and the slower half does not count.
    probes = evaluation.results([training_job(anchor, extent, seed) for seed in range(2 * evaluation.width)])
    ratios = sorted(probe["seconds"] / expected_s for probe in probes if probe)
    slower = ratios[: evaluation.width][-1] if ratios else 1.0
    return (evaluation.time_left_s or 0.0) * evaluation.width * PLANNED_SHARE / slower


def train_in_rungs(
    problem: Problem, evaluation: Evaluation, pool: Sequence[Candidate], seconds: float
) -> list[Trained]:
    """Every candidate that was trained, with its longest trainings; none if a time budget left no time for one."""
    costs = [seconds_per_image(problem.board.graph(each.architecture)) for each in pool]
    seeds = training_seeds(problem.settings)
    plan = rungs(costs, seconds, len(problem.data.train), _held_out(problem), seeds)
    standing = Standing(evaluation, plan, problem.board.task)
    trained = halve(evaluation, pool, plan, standing.seen)
    ended = bool(trained) and max(each.rung for each in trained) == len(plan) - 1
    if problem.settings.time_budget_s is not None and ended:
        further_rounds(evaluation, trained, plan[-1], standing)
    return trained


def _held_out(problem: Problem) -> int:
    return min(len(problem.data.validation), MOST_HELD_OUT)


def further_rounds(
    evaluation: Evaluation, trained: Sequence[Trained], last: Rung, standing: Standing
) -> None:
    """Train the finalists from one more seed after another while the time budget lasts, in place."""
    finalists = [each for each in trained if each.rung == most_accurate(trained).rung]
    for number in range(MOST_ROUNDS):
        seconds = sum(each.outcomes[-1].seconds for each in finalists) / min(evaluation.width, len(finalists))
        if not evaluation.once(f"round {number}", lambda: (evaluation.time_left_s or 0.0) > seconds):  # noqa: B023
            return
        candidates = [each.candidate for each in finalists]
        seed = last.seeds[-1] + 1 + number
        more = train(evaluation, candidates, last.extent, [seed], finalists[0].rung, standing.seen)
        if len(more) < len(finalists):
            return  # means over different seeds would not compare
        for each, again in zip(finalists, more, strict=True):
            each.outcomes += again.outcomes
