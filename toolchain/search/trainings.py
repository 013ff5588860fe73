"""The job that decides between finalists: a short, real, quantization-aware training.

A job is JSON data, so that a journal's line is enough to repeat it:

    {"kind": "training", "architecture": "t4 leak2 ...", "images": [9000, 3000], "epochs": [1, 1], "batch": 50,
     "seed": 0}

Images, drawn from the training set by ``seed``, and epochs are those of the float and of the integer phase.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from toolchain.architecture.text import AnyArchitecture, parse, to_text
from toolchain.cost.operations import operations
from toolchain.datasets import Subset
from toolchain.errors import InputError
from toolchain.search.evaluation import Job, Result
from toolchain.search.problem import Problem

KIND = "training"

BATCH = 50

INTEGER_SHARE = 0.25
"""Share of a training that fine-tunes in integers."""

MOST_HELD_OUT = 4_000
"""Validation images that a quality is measured on: its sampling error is then under that of a training."""

RATE_IMAGES = 200
"""Validation images that spike rates are measured on."""


@dataclass(frozen=True)
class Extent:
    """How long a candidate trains: images of the training set and epochs of the float and of the integer phase."""

    images: tuple[int, int]
    epochs: tuple[int, int]

    @property
    def images_seen(self) -> int:
        """Images that pass through the network in training."""
        return sum(images * epochs for images, epochs in zip(self.images, self.epochs, strict=True))

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.images_seen // BATCH

    @classmethod
    def of(cls, images_seen: int, available: int) -> Extent:
        """About ``images_seen`` images with ``available`` to draw from, as few of them twice as possible."""
        integer = max(BATCH, round(images_seen * INTEGER_SHARE))
        phases = [_phase(images_seen - integer, available), _phase(integer, available)]
        return cls((phases[0][0], phases[1][0]), (phases[0][1], phases[1][1]))


@dataclass(frozen=True)
class Outcome:
    """What a training measured on ``held_out`` images: its ``quality``, accuracy or R2, with the standard error that
    comes from the images being a sample; ``operations``: effective synaptic ones, an image; ``seconds``: what the
    training took."""

    quality: float
    standard_error: float
    held_out: int
    operations: int
    seconds: float = field(compare=False)

    @classmethod
    def of(cls, result: Result) -> Outcome:
        """Read a job's result."""
        return cls(
            result["quality"],
            result["standard_error"],
            result["held_out"],
            result["effective_operations"],
            result["seconds"],
        )


def training_job(architecture: AnyArchitecture, extent: Extent, seed: int) -> Job:
    """The job that trains ``architecture`` so long, from weights drawn by ``seed``."""
    return {
        "kind": KIND,
        "architecture": to_text(architecture),
        "images": list(extent.images),
        "epochs": list(extent.epochs),
        "batch": BATCH,
        "seed": seed,
    }


def run_training(problem: Problem, job: Job) -> Result:
    """Do a training job; one that diverges has the lowest quality there is."""
    from toolchain.network.spiking import SpikingNetwork
    from toolchain.training.course import Course
    from toolchain.training.evaluation import scores
    from toolchain.training.objective import objective
    from toolchain.training.recipe import Recipe

    started = time.perf_counter()
    graph = problem.board.graph(parse(job["architecture"]))
    train, tuning = (problem.data.train.drawn(images, job["seed"]) for images in job["images"])
    held_out = problem.data.validation.drawn(MOST_HELD_OUT, 0)
    aim = objective(problem.data)
    network = SpikingNetwork(graph, seed=job["seed"])
    epochs, batch = job["epochs"], min(job["batch"], len(tuning))
    plan = Recipe(epochs[0], epochs[1], batch)
    try:
        quantized = Course(network, train, aim, plan, seed=job["seed"], tuning=tuning).run()
    except InputError:
        return _result(aim.lowest, 0.0, len(held_out), operations(graph).dense, started)
    rates = spike_rates(quantized, held_out)
    effective = operations(graph, rates)
    assert effective.effective_acs is not None  # rates are given
    total = effective.pixel_macs + effective.head_macs + effective.effective_acs
    outputs = scores(quantized.eval(), held_out.images)
    quality, error = (judge(outputs, held_out.targets) for judge in (aim.quality, aim.standard_error))
    return _result(quality, error, len(held_out), total, started)


def spike_rates(network: Any, data: Subset) -> dict[str, float]:
    """Spikes a neuron and time step of every spiking node of a ``QuantizedNetwork``."""
    import torch

    with torch.no_grad():
        maps = network.spikes(torch.from_numpy(data.images[:RATE_IMAGES]))
    return {name: float(spikes.mean()) for name, spikes in maps.items()}


def _phase(images_seen: int, available: int) -> tuple[int, int]:
    epochs = max(1, -(-images_seen // available))
    return min(available, max(BATCH, images_seen // epochs)), epochs


def _result(quality: float, error: float, held_out: int, operations: int, started: float) -> Result:
    return {
        "quality": quality,
        "standard_error": error,
        "held_out": held_out,
        "effective_operations": operations,
        "seconds": round(time.perf_counter() - started, 3),
    }
