"""The trained spiking networks that are measured, and the dense ones of the same accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from benchmarks.dense.float_network import DenseCnn, quantized
from benchmarks.dense.network import DenseNetwork
from benchmarks.dense.training import CALIBRATION_IMAGES, Rival, trained
from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.files import read_json
from toolchain.graph.graph import Graph
from toolchain.graph.storage import load_graph
from toolchain.measures import MEASURES
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings, TrainingSettings
from toolchain.training.recipe import Recipe
from toolchain.training.run import finish_training

BOARD = "stm32f405"
"""Whose profile the runs have that are made here."""

WIDTHS = (0.25, 0.375, 0.5, 0.75, 1.0, 1.5)
"""Shares of the spiking network's channels that dense ones are tried with, the narrowest first."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Planned:
    """A network that the benchmark trains: its architecture, its data, and settings of its training."""

    name: str
    line: str
    source: str | None
    training: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A trained spiking network; ``line`` is its architecture in words, ``folder`` where its rivals are kept."""

    name: str
    line: str
    graph: Graph
    data: Dataset
    plan: Recipe
    seed: int
    test_accuracy: float
    folder: Path

    @property
    def noise(self) -> float:
        """Standard error of the difference of two such accuracies that comes from the test images being a sample."""
        return math.sqrt(2 * self.test_accuracy * (1 - self.test_accuracy) / len(self.data.test))


def planned_subjects(plans: Sequence[Planned], work: Path, progress: Progress) -> Iterator[Subject]:
    """Train each of ``plans`` in a run below ``work``, unless it lies there already."""
    for plan in plans:
        folder = work / plan.name
        if (folder / "run.toml").is_file():
            run = runs.find(folder)
        else:
            settings = RunSettings(
                data=DataSettings(source=plan.source), training=TrainingSettings.model_validate(plan.training)
            )
            run = runs.create(folder, profiles.load(BOARD), settings)
            save_architecture(parse(plan.line), run.architecture)
        finish_training(run, progress=lambda text, name=plan.name: progress(f"{name}: {text}"))  # type: ignore[misc]
        yield _subject(plan.name, run, folder)


def given_subjects(paths: Sequence[Path], work: Path) -> Iterator[Subject]:
    """The networks of runs that are trained; nothing is written there, but below ``work``."""
    for path in paths:
        name = path.resolve().name
        yield _subject(name, runs.find(path), work / name)


def _subject(name: str, run: RunFolder, folder: Path) -> Subject:
    if not run.training.is_file():
        raise InputError(
            f"{run.path} has no trained network; train it with `spikenas-deploy train {run.path}`"
        )
    report, graph = read_json(run.training), load_graph(run.path)
    key = f"test_{MEASURES['classification'].name}"
    if graph.task != "classification" or graph.input.frames != 1 or key not in report:
        raise InputError(
            f"{run.path} does not classify images, and there is no dense rival of it; give another run"
        )
    plan = Recipe(**report["recipe"])
    return Subject(
        name, report["architecture"], graph, run.dataset(), plan, report["seed"], report[key], folder
    )


def same_shape(subject: Subject) -> DenseNetwork:
    """The dense network of the same shape, untrained: what its firmware does is the same whatever its weights are.

    Its normalization is that of some images, so that its activations are no constants.
    """
    network = DenseCnn(subject.graph, seed=subject.seed).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # an average of what follows, not what the module begins with
    images = subject.data.train.images[:CALIBRATION_IMAGES]
    with torch.no_grad():
        network(torch.from_numpy(images))
    return quantized(network, images)


def same_accuracy(subject: Subject, progress: Progress) -> tuple[Rival, list[Rival]]:
    """The narrowest dense network as accurate as the spiking one, less the noise, and all that were trained for it.

    Raises ``InputError`` if none of them is.
    """
    tried = []
    for width in WIDTHS:
        rival = trained(
            subject.graph, width, subject.data, subject.plan, subject.seed, subject.folder, progress
        )
        tried.append(rival)
        if rival.test_quality >= subject.test_accuracy - subject.noise:
            return rival, tried
    best = max(rival.test_quality for rival in tried)
    raise InputError(
        f"{subject.name}: no dense network up to {WIDTHS[-1]:g} times as wide comes to {subject.test_accuracy:.2%} "
        f"(the best has {best:.2%}), so there is none to compare with; give another run"
    )
