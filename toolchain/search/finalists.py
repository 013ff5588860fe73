"""Finalists: successive halving (Jamieson and Talwalkar, AISTATS 2016) by short, real trainings.

All of the pool train a little, the better third trains longer and from several seeds, and the choice is made
among these. Each training starts anew, because the learning rate's schedule fits its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolchain.search.candidates import Candidate, Trained
from toolchain.search.evaluation import Evaluation
from toolchain.search.trainings import Extent, Outcome, training_job

Seen = Callable[[Trained], None]


@dataclass(frozen=True)
class Rung:
    """How many candidates train on this rung, for how long, and from which seeds."""

    candidates: int
    extent: Extent
    seeds: tuple[int, ...]

    @property
    def work(self) -> int:
        """Images seen on this rung by all."""
        return self.candidates * len(self.seeds) * self.extent.images_seen


def halve(
    evaluation: Evaluation, pool: Sequence[Candidate], rungs: Sequence[Rung], seen: Seen
) -> list[Trained]:
    """Train ``pool`` as ``rungs`` say; every candidate that was trained, with its longest trainings.

    ``seen`` is told of each candidate's outcome as it comes. Only candidates whose every seed of a rung ended go
    on; when the time budget ends in a rung, the rung before it decides unless some candidate ended this one.
    """
    best: dict[str, Trained] = {}
    current = list(pool)
    for number, rung in enumerate(rungs):
        going_on = sorted(current, key=lambda each: _rank(best.get(each.id)))[: rung.candidates]
        ended = train(evaluation, going_on, rung.extent, rung.seeds, number, seen)
        best |= {each.candidate.id: each for each in ended}
        current = [each.candidate for each in ended]
        if len(ended) < len(going_on):
            break
    return list(best.values())


def train(
    evaluation: Evaluation,
    candidates: Sequence[Candidate],
    extent: Extent,
    seeds: Sequence[int],
    rung: int,
    seen: Seen,
) -> list[Trained]:
    """Train each of ``candidates`` from every seed; those whose trainings all ended, in their order."""
    pairs = [(candidate, seed) for candidate in candidates for seed in seeds]
    jobs = [training_job(candidate.architecture, extent, seed) for candidate, seed in pairs]

    def ended(index: int, result: dict) -> None:
        seen(Trained(pairs[index][0], extent, rung, [Outcome.of(result)]))

    results = evaluation.results(jobs, ended=ended)
    found = []
    for start, candidate in zip(range(0, len(jobs), len(seeds)), candidates, strict=True):
        outcomes = [Outcome.of(result) for result in results[start : start + len(seeds)] if result]
        if len(outcomes) == len(seeds):
            found.append(Trained(candidate, extent, rung, outcomes))
    return found


def _rank(trained: Trained | None) -> tuple[float, int, str]:
    # Before any training the pool's own order stands: sorting is stable.
    return (0.0, 0, "") if trained is None else (-trained.quality, trained.size_bytes, trained.candidate.id)
