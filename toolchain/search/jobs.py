"""All kinds of jobs, and what a worker does with one."""

from __future__ import annotations

from collections.abc import Callable

from toolchain.search import position_scores, trainings
from toolchain.search.evaluation import Job, Result
from toolchain.search.problem import Problem
from toolchain.search.snasnet import jobs as snasnet

WORK: dict[str, Callable[[Problem, Job], Result]] = {
    trainings.KIND: trainings.run_training,
    position_scores.KIND: position_scores.run_scores,
    snasnet.KIND: snasnet.run_snasnet,
}


def work(problem: Problem, job: Job) -> Result:
    """Do ``job``; its result depends on the job and the problem's data alone, whoever does it.

    One thread: small maps gain nothing from more, sums do not depend on how many there are, and workers side by
    side use the cores better.
    """
    from toolchain.search.threads import one_thread

    with one_thread():
        return WORK[job["kind"]](problem, job)
