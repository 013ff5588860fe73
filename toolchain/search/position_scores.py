"""The job that scores every cell of a position in one untrained network, and what its results mean together.

A job is JSON data; the scores are lists in the order of ``distinct_cells()``, null where a network fires alike
for all images:

    {"kind": "scores", "architecture": "t4 leak2 ...", "position": 0, "seed": 0, "batch": 32, "neurons": null}

The cells before the position are those of the architecture; the position's own does not matter.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import parse, to_text
from toolchain.search.evaluation import Job, Result
from toolchain.search.problem import Problem
from toolchain.search.scoring.results import SCORES, Averages, CellScores, Floats, average

KIND = "scores"

DIGITS = 6
"""Significant digits that a journal keeps: scores scatter over seeds in the second."""


def scores_job(
    architecture: Architecture, position: int, seed: int, batch: int, neurons: int | None = None
) -> Job:
    """The job that scores all cells at ``position`` with weights and images drawn by ``seed``."""
    return {
        "kind": KIND,
        "architecture": to_text(architecture),
        "position": position,
        "seed": seed,
        "batch": batch,
        "neurons": neurons,
    }


def run_scores(problem: Problem, job: Job) -> Result:
    """Do a scores job."""
    from toolchain.search.scoring.score import score_cells
    from toolchain.search.scoring.source import source_spikes

    started = time.perf_counter()
    architecture = parse(job["architecture"])
    images = problem.data.train.drawn(job["batch"], job["seed"]).images
    before = problem.board.graph(architecture.before_cell(job["position"]))
    found = score_cells(
        source_spikes(before, images, job["seed"]),
        leak=architecture.leak,
        reset=architecture.reset,
        seed=job["seed"],
        neurons=job["neurons"],
    )
    values = {name: [_short(value) for value in getattr(found, name)] for name in SCORES}
    counts = {"neurons": found.neurons, "convolutions": found.convolutions}
    return values | counts | {"seconds": round(time.perf_counter() - started, 3)}


def averaged(results: Sequence[Result]) -> Averages:
    """The mean scores of one position from the results of its seeds, with their deviation."""
    cells = distinct_cells()
    return average(
        [
            CellScores(
                cells,
                neurons=result["neurons"],
                convolutions=result["convolutions"],
                **{name: _values(result[name]) for name in SCORES},
            )
            for result in results
        ]
    )


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _values(scores: Sequence[float | None]) -> Floats:
    return np.array([-np.inf if score is None else score for score in scores])
