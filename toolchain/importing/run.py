"""Import a brought network: carry it over, quantize it with the data given, and keep it as a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from toolchain import runs
from toolchain.datasets import Dataset, load
from toolchain.errors import InputError
from toolchain.files import write_json
from toolchain.importing.carrying import Carried, carry
from toolchain.importing.layers import Layer
from toolchain.importing.network import fill
from toolchain.importing.original import outputs
from toolchain.importing.pixels import PixelForm
from toolchain.importing.rules import require_carriable
from toolchain.network.spiking import SpikingNetwork
from toolchain.profiles.schema import Profile
from toolchain.quality import share_correct
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings
from toolchain.training.course import Course
from toolchain.training.memory import keep_memory
from toolchain.training.objective import objective
from toolchain.training.progress import Progress, Reporter
from toolchain.training.recipe import Recipe, recipe
from toolchain.training.run import keep_trained
from toolchain.training.train import Trained, concluded

SCHEMA = "spikenas-import/1"
"""Form of ``import.json``."""


@dataclass(frozen=True)
class Brought:
    """A model as its user has it: what to run, its layers, and in words where it comes from."""

    model: nn.Module
    layers: Sequence[Layer]
    origin: str


@dataclass(frozen=True)
class ImportReport:
    """Accuracies on the test images, as shares: of the model in snnTorch, carried over in float, and in integers; a
    file of ours has the last alone.

    ``layers`` says what each became, ``notes`` what is not quite the same.
    """

    origin: str
    time_steps: int
    pixels: PixelForm | None
    epochs: int
    test_images: int
    original_test_accuracy: float | None
    float_test_accuracy: float | None
    test_accuracy: float
    layers: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"schema": SCHEMA} | asdict(self)


def import_run(
    brought: Brought,
    profile: Profile,
    settings: RunSettings,
    *,
    time_steps: int,
    form: PixelForm,
    epochs: int,
    out: Path | None,
    progress: Progress,
) -> tuple[RunFolder, ImportReport]:
    """Carry ``brought`` over for the data of ``settings``, quantize it, fine-tune it for ``epochs`` in integers (0: not
    at all), and write it as a run for ``profile``.

    Raises ``InputError`` if the model has what cannot be carried, does not fit the data, diverges or ``out`` is not
    free, ``OutputsDifferError`` if torch's integers are not the reference's.
    """
    require_carriable(brought.layers, brought.origin)
    data = dataset(settings, progress)
    carried = carry(brought.layers, data, time_steps, form)
    progress(f"running the model as it is on {len(data.test):,} test images")
    found = outputs(brought.model, data.test.images, time_steps, form)
    targets = np.asarray(data.test.targets, np.int64)
    trained = quantized(carried, data, epochs, settings.training.seed, progress)
    report = ImportReport(
        origin=brought.origin,
        time_steps=time_steps,
        pixels=form,
        epochs=epochs,
        test_images=len(data.test),
        original_test_accuracy=share_correct(found, targets),
        float_test_accuracy=trained.report.float_test_quality,
        test_accuracy=trained.report.test_quality,
        layers=carried.became,
        notes=carried.notes,
    )
    run = begun(out, profile, settings, data, epochs)
    keep_trained(run, trained, data, f"imported from {brought.origin}")
    write_json(run.imported, report.to_dict())
    return run, report


def quantized(carried: Carried, data: Dataset, epochs: int, seed: int, progress: Progress) -> Trained:
    """The network of ``carried`` in integers, after ``epochs`` of fine-tuning in them."""
    keep_memory()
    torch.manual_seed(seed)
    plan = _plan(len(data.train), epochs)
    network = SpikingNetwork(carried.graph).to("cuda" if torch.cuda.is_available() else "cpu")
    task = objective(data)
    course = Course(network, data.train, task, plan, seed=seed)
    fill(network, carried)
    network.eval()
    if epochs:
        progress(f"fine-tuning {epochs} epochs in integers, on {len(data.train):,} images")
    return concluded(course, course.run(Reporter(data.validation, task, progress)), data, progress)


def _plan(images: int, epochs: int) -> Recipe:
    """The recipe's way to fine-tune in integers, and nothing before it."""
    usual = recipe(images, max(epochs, 1))
    return Recipe(0, epochs, usual.batch, quantized_rate=usual.quantized_rate, shift=usual.shift)


def dataset(settings: RunSettings, progress: Progress) -> Dataset:
    """The data of ``settings``; raises ``InputError`` if they have numbers and no classes."""
    chosen = settings.data.model_dump(exclude={"source", "sha256"})
    data = load(settings.data.source, **chosen)
    if data.scales:
        raise InputError(f"{data.name} has numbers, and only networks that tell classes are imported")
    progress(f"{data.name}: {len(data.train):,} images to train on, {len(data.test):,} to test")
    return data


def begun(out: Path | None, profile: Profile, settings: RunSettings, data: Dataset, epochs: int) -> RunFolder:
    """A new run, whose settings know the data's hash and what was trained."""
    known = settings.data.model_copy(update={"sha256": data.sha256})
    training = settings.training.model_copy(update={"epochs": epochs or None})
    return runs.create(out, profile, settings.model_copy(update={"data": known, "training": training}))
