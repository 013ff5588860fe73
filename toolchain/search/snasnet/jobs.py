"""The job of the published search: score one candidate in a fresh network.

A job is JSON data; a score is null where the network fires alike for two images, or for all:

    {"kind": "snasnet", "architecture": "snasnet t5 stem64/1 ...", "seed": 7, "batch": 256, "repeats": 2}

``seed`` draws the weights and the images of every batch.
"""

from __future__ import annotations

import time
from dataclasses import asdict

import numpy as np

from toolchain.architecture.snasnet import SnasnetArchitecture, parse, to_text
from toolchain.graph.nodes import Shape
from toolchain.search.evaluation import Job, Result
from toolchain.search.problem import Problem

KIND = "snasnet"

BATCH, REPEATS = 256, 2
"""Images of a batch and batches, as published."""

MOST_BYTES = 5 << 30
"""Most memory of one candidate's maps; a wider network than that of CIFAR-100 is scored with fewer images."""

ALIVE = 8
"""Maps of the first cell, all time steps in float32, that are alive at once."""


def snasnet_job(architecture: SnasnetArchitecture, seed: int, batch: int) -> Job:
    """The job that scores ``architecture`` with weights and images drawn by ``seed``."""
    return {
        "kind": KIND,
        "architecture": to_text(architecture),
        "seed": seed,
        "batch": batch,
        "repeats": REPEATS,
    }


def batch_for(architecture: SnasnetArchitecture, pixels: Shape, images: int) -> int:
    """The published batch, halved until there are as many ``images`` and the maps' memory is bounded; at least 2."""
    image_bytes = 4 * ALIVE * architecture.time_steps * architecture.maps(pixels).first.size
    batch = BATCH
    while batch > 2 and (batch > images or batch * image_bytes > MOST_BYTES):
        batch //= 2
    return batch


def run_snasnet(problem: Problem, job: Job) -> Result:
    """Do a snasnet job."""
    from toolchain.search.snasnet.score import score

    started = time.perf_counter()
    found = score(
        parse(job["architecture"]),
        problem.data.train.images,
        len(problem.data.labels),
        seed=job["seed"],
        batch=job["batch"],
        repeats=job["repeats"],
    )
    values = {name: float(value) if np.isfinite(value) else None for name, value in asdict(found).items()}
    return values | {"seconds": round(time.perf_counter() - started, 3)}
