"""Train an architecture on a data set: float, fold, quantize, fine-tune, and prove the forward pass exact."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from toolchain.cost.operations import operations
from toolchain.datasets import Dataset
from toolchain.errors import InputError, OutputsDifferError
from toolchain.graph import reference
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.thresholds import small_thresholds
from toolchain.graph.widths import narrowable
from toolchain.measures import MEASURES, Task
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.runs import TRAINING_SCHEMA
from toolchain.settings import TrainingSettings
from toolchain.training.activity import SpikeRate, spike_rate
from toolchain.training.checkpoints import ANEW, Saved, restored, save_checkpoint
from toolchain.training.course import Course, Epoch, Stopped
from toolchain.training.evaluation import quality, scores
from toolchain.training.interruption import noticed
from toolchain.training.memory import keep_memory
from toolchain.training.narrowing import Fits
from toolchain.training.objective import objective
from toolchain.training.phase import DivergedError, seconds_per_epoch
from toolchain.training.precision import fastest
from toolchain.training.progress import Progress, Reporter
from toolchain.training.recipe import (
    LESSON_COST,
    TEACHER_SHARE,
    Recipe,
    epochs_in,
    recipe,
    with_options,
)
from toolchain.training.tensorboard import curves

COMPARED_OPERATIONS = 200_000_000_000
"""Dense synaptic operations for which the reference interpreter takes about a minute."""


@dataclass(frozen=True)
class TrainingReport:
    """What training measured. A quality is an accuracy, as a share, or R2; in JSON it is called what it is.

    ``at_chance``: the quality on the test set is no better than a constant output's.
    ``differing_integers`` compares torch with the reference on the first ``compared_images`` of the test set;
    ``seconds`` are those of all sittings, judging not counted.
    """

    task: Task
    recipe: Recipe
    seed: int
    seconds: float
    float_validation_quality: float
    float_test_quality: float
    validation_quality: float
    test_quality: float
    at_chance: bool
    test_images: int
    is_demonstration: bool
    compared_images: int
    differing_integers: int
    lost_exponents: dict[str, int]
    small_thresholds: dict[str, int]
    spike_rate: float
    bits: dict[str, int]
    history: list[Epoch]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        measure = MEASURES[self.task].name
        found = {name.replace("quality", measure): value for name, value in asdict(self).items()}
        return {"schema": TRAINING_SCHEMA} | found


@dataclass(frozen=True)
class Trained:
    """The float network, the Graph with integer weights, and the report."""

    network: SpikingNetwork
    graph: Graph
    report: TrainingReport


def train(
    graph: Graph,
    data: Dataset,
    wanted: TrainingSettings,
    *,
    progress: Progress,
    checkpoint: Path | None = None,
    saved: Saved | None = None,
    fits: Fits | None = None,
    events: Path | None = None,
) -> Trained:
    """Train ``graph`` on ``data`` as ``wanted``: its epochs beat its time budget, which beats the recipe's number.

    With ``fits`` each layer gets bits for which the Graph fits (``training.narrowing``). Curves go into the folder
    ``events`` (``training.tensorboard``).

    Where the training stands is kept in ``checkpoint`` before the first step, behind every epoch, and on Ctrl-C
    behind the present step. What was read from there, ``saved``, is gone on with by the recipe that it was begun
    with; ``wanted`` are then its settings. Removing the file is for who has written down the result.

    Raises ``InputError`` if training diverges (the file is then removed), cannot be resumed or kept, or should
    mirror images that have numbers or save spikes that cost nothing, ``OutputsDifferError`` if the integer forward
    pass of training is not the reference's on every image that is compared, ``KeyboardInterrupt`` when interrupted.
    """
    keep_memory()
    task, facts = objective(data), _facts(graph, data)
    require_apt(graph, data, wanted)

    def keep(course: Course) -> None:
        if checkpoint is None:
            return
        try:
            save_checkpoint(checkpoint, course, wanted, facts)
        except InputError as error:
            command = shlex.join(["spikenas-deploy", "train", "--resume", str(checkpoint.parent)])
            hint = f"; once that is mended, go on with: {command}"
            raise InputError(f"{error}{hint if checkpoint.is_file() else ''}") from error

    if saved is not None:
        if saved.header.facts != facts:
            raise InputError(f"{saved.path} was written for another network or other data; {ANEW}")
        stood, plan = saved.checkpoint, saved.header.recipe
        course = restored(_course(graph, data, plan, wanted.seed, fits), saved)
        progress(f"going on behind {stood.step:,} steps of the {stood.phase} phase")
    else:
        course = _course(graph, data, _plan(graph, data, wanted), wanted.seed, fits)
        plan = course.plan
        keep(course)
        progress(
            f"training {plan.epochs} epochs, {plan.quantized_epochs} of them in integers, on {len(data.train):,} images"
        )
    with curves(events, data.validation, task, anew=saved is None) as drawn, noticed() as interruption:
        watcher = Reporter(
            data.validation, task, progress, keep=keep, stop=lambda: interruption.asked, drawn=drawn
        )
        try:
            quantized = course.run(watcher)
        except Stopped as error:
            keep(course)
            raise KeyboardInterrupt from error
        except DivergedError:
            if checkpoint is not None:
                checkpoint.unlink(missing_ok=True)
            raise
    return concluded(course, quantized, data, progress)


def concluded(course: Course, quantized: QuantizedNetwork, data: Dataset, progress: Progress) -> Trained:
    """What ``course`` came to, with ``quantized`` at its end, judged on ``data``.

    Raises ``OutputsDifferError`` if torch's integers are not the reference's on every image that is compared.
    """
    task = objective(data)
    network = course.float_network.cpu().eval()
    quantized = quantized.cpu()
    result = quantized.graph()
    require_valid(result, "the trained network", weights=True)
    compared = data.test.images[: images_to_compare(result)]
    test_quality = quality(quantized, data.test, task)
    if len(compared) < len(data.test):
        progress(f"comparing with the reference on {len(compared):,} of {len(data.test):,} test images")
    report = TrainingReport(
        task=data.task,
        recipe=course.plan,
        seed=course.seed,
        seconds=round(sum(len(data.train) / epoch.images_a_second for epoch in course.history), 1),
        float_validation_quality=quality(network, data.validation, task),
        float_test_quality=quality(network, data.test, task),
        validation_quality=quality(quantized, data.validation, task),
        test_quality=test_quality,
        at_chance=task.at_chance(test_quality, data.test.targets),
        test_images=len(data.test),
        is_demonstration=data.is_demonstration,
        compared_images=len(compared),
        differing_integers=differing_integers(quantized, result, compared),
        lost_exponents=quantized.lost_exponents(),
        small_thresholds=small_thresholds(result),
        spike_rate=spike_rate(quantized, data.test),
        bits=narrowable(result),
        history=course.history,
    )
    measure = task.measure
    progress(
        f"test {measure.title} {measure.text(report.test_quality)} in integers, "
        f"{measure.text(report.float_test_quality)} in float ({report.test_images:,} images)"
    )
    if report.at_chance:
        progress(f"warning: {measure.at_chance}")
    if report.differing_integers:
        raise OutputsDifferError(
            f"{report.differing_integers} scores of the trained network differ from the reference interpreter; "
            "this is a bug, please report it with the run folder"
        )
    return Trained(network, result, report)


def require_apt(graph: Graph, data: Dataset, wanted: TrainingSettings) -> None:
    """Raise ``InputError`` if ``wanted`` has something that is not for this network or these data."""
    if wanted.mirror and not objective(data).keeps_targets_when_shifted:
        raise InputError("a mirrored image does not keep its numbers; leave --mirror out, or say --no-mirror")
    if wanted.label_smoothing and data.scales:
        raise InputError("only classes are smoothed, and these data have numbers; give --label-smoothing 0")
    if wanted.spike_rate is not None and not SpikeRate(graph, wanted.spike_rate).shares:
        raise InputError(
            "no layer of this network convolves spikes, so none are to be saved; leave --spike-rate out"
        )


def _course(graph: Graph, data: Dataset, plan: Recipe, seed: int, fits: Fits | None = None) -> Course:
    torch.manual_seed(seed)
    network = SpikingNetwork(graph, seed=seed).to("cuda" if torch.cuda.is_available() else "cpu")
    task = objective(data, label_smoothing=plan.label_smoothing)
    return Course(network, data.train, task, plan, seed=seed, fits=fits)


def _plan(graph: Graph, data: Dataset, wanted: TrainingSettings) -> Recipe:
    """The recipe for what is ``wanted``; with a time budget after a few steps, whose speed tells what fits."""
    narrow = wanted.bits == "auto" or min(narrowable(graph).values()) < 8

    def planned(epochs: int | None) -> Recipe:
        plan = replace(recipe(len(data.train), epochs, narrow=narrow), precision=fastest())
        return with_options(plan, wanted)

    plan = planned(wanted.epochs)
    if wanted.epochs is not None or wanted.time_budget_s is None:
        return plan
    seconds = seconds_per_epoch(_course(graph, data, replace(plan, distillation=0.0), wanted.seed).phase)
    if plan.distillation:
        taught = seconds_per_epoch(_course(graph, data, plan, wanted.seed).phase)
        seconds += (TEACHER_SHARE + LESSON_COST) * taught
    return planned(min(plan.epochs, epochs_in(wanted.time_budget_s, seconds, plan)))


def _facts(graph: Graph, data: Dataset) -> dict[str, str]:
    return {"network": graph.sha256(), "data": data.sha256}


def differing_integers(network: QuantizedNetwork, graph: Graph, images: np.ndarray) -> int:
    """Scores of training's forward pass that differ from the reference's on ``images`` uint8 [n, C, H, W]."""
    network.eval()
    return int((scores(network.scores, images) != reference.scores(graph, images)).sum())


def images_to_compare(graph: Graph) -> int:
    """Images that the reference interpreter gets through in about a minute, at least 100."""
    return max(100, COMPARED_OPERATIONS // operations(graph).dense)
