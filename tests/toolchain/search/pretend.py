"""Evaluations without torch: results drawn from the job's own text, the same every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from toolchain.architecture.cells import distinct_cells
from toolchain.search.evaluation import Evaluation
from toolchain.search.executors import Executor
from toolchain.search.journal import Journal
from toolchain.search.problem import Problem
from toolchain.search.scoring.results import SCORES

Job = dict[str, Any]


def pretend_work(problem: Problem | None, job: Job) -> dict[str, Any]:
    """A result of the right form for any job."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).digest()
    rng = np.random.default_rng(list(digest[:8]))
    if job["kind"] == "scores":
        cells = len(distinct_cells())
        return {name: rng.normal(size=cells).round(4).tolist() for name in SCORES} | {
            "neurons": 64,
            "convolutions": 190,
            "seconds": 0.1,
        }
    if job["kind"] == "snasnet":
        score = float(rng.normal()) if rng.random() < 0.9 else None
        return {"sahd_2022_01": score, "sahd_2022_07": score, "hamming": score, "seconds": 0.1}
    return {
        "quality": float(rng.uniform(0.5, 1)),
        "standard_error": 0.01,
        "held_out": 1000,
        "effective_operations": int(rng.integers(1, 10**6)),
        "seconds": 0.1,
    }


class Pretend(Executor[Job, dict[str, Any]]):
    """An executor that pretends; ``asked`` are the jobs that it was given, ``work`` what it does with each."""

    def __init__(self, work: Callable[[Problem | None, Job], dict[str, Any]] = pretend_work) -> None:
        self.width = 2
        self.asked: list[Job] = []
        self._work = work

    def _results(self, jobs: Sequence[Job]) -> Iterator[tuple[int, dict[str, Any]]]:
        # Last first: nothing may depend on the order in which jobs end.
        for index, job in reversed(list(enumerate(jobs))):
            self.asked.append(job)
            yield index, self._work(None, job)

    def close(self) -> None:
        pass


def pretend(executor: Pretend | None = None, **options: Any) -> Evaluation:
    """An evaluation over ``executor``, without a journal file unless one is given."""
    given = {"journal": Journal(None), "entries": (), "time_budget_s": None, "progress": lambda _: None}
    return Evaluation(executor or Pretend(), **(given | options))
