"""Train a run of the ``snasnet`` space: in float alone, which is all that such a network has."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.storage import load_architecture
from toolchain.architecture.text import to_text
from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.files import read_bytes, write_atomic, write_json
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.runs import TRAINING_SCHEMA, RunFolder, untrained
from toolchain.search.snasnet.training import phase, train
from toolchain.settings import TrainingSettings
from toolchain.training.objective import objective
from toolchain.training.phase import seconds_per_epoch
from toolchain.training.progress import Progress
from toolchain.training.recipe import Recipe, recipe

MAX_CHECKPOINT_BYTES = (1 << 31) - 1
"""Largest checkpoint that is read: an ONNX file could not hold more."""


@dataclass(frozen=True)
class FloatTrainingReport:
    """What a float training measured; accuracies are shares. There are no integers, so theirs are None."""

    recipe: Recipe
    seed: int
    seconds: float
    float_validation_accuracy: float
    float_test_accuracy: float
    at_chance: bool
    test_images: int
    is_demonstration: bool
    form: str = "float"
    validation_accuracy: None = None
    test_accuracy: None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"schema": TRAINING_SCHEMA} | asdict(self)


def train_float(
    run: RunFolder,
    architecture: SnasnetArchitecture,
    data: Dataset,
    wanted: TrainingSettings,
    progress: Progress,
) -> FloatTrainingReport:
    """Train ``run``'s network as ``wanted`` and write ``checkpoint.safetensors`` and ``training.json``.

    Raises ``InputError`` if the images are too small or training diverges; then the run is as it was.
    """
    start = time.perf_counter()
    epochs = wanted.epochs
    if epochs is None and wanted.time_budget_s is not None:
        pixels = data.pixels
        network = SnasnetNetwork(architecture, pixels, len(data.labels), seed=wanted.seed)
        plan = recipe(len(data.train))
        fitting = int(wanted.time_budget_s / seconds_per_epoch(phase(network, data, plan, seed=wanted.seed)))
        epochs = min(plan.epochs, max(2, fitting))
    progress(f"training in float on {len(data.train):,} images")
    result = train(architecture, data, seed=wanted.seed, epochs=epochs, progress=progress)
    task = objective(data)
    report = FloatTrainingReport(
        recipe=result.plan,
        seed=wanted.seed,
        seconds=round(time.perf_counter() - start, 1),
        float_validation_accuracy=result.validation_accuracy,
        float_test_accuracy=result.test_accuracy,
        at_chance=task.at_chance(result.test_accuracy, data.test.targets),
        test_images=len(data.test),
        is_demonstration=data.is_demonstration,
    )
    progress(
        f"test accuracy {report.float_test_accuracy:.2%} in float ({report.test_images:,} images); networks of"
        " the snasnet space are not quantized"
    )
    if report.at_chance:
        progress(f"warning: {task.measure.at_chance}")
    state = {name: values.contiguous() for name, values in result.network.state_dict().items()}
    write_atomic(run.checkpoint, save(state))
    run.forget_verdict()
    facts = {"architecture": to_text(architecture), "data": data.name, "data_sha256": data.sha256}
    write_json(run.training, report.to_dict() | facts)
    return report


def trained_network(run: RunFolder, data: Dataset) -> SnasnetNetwork:
    """The trained network of a run of the ``snasnet`` space, in evaluation mode.

    Raises ``InputError`` if the run has no checkpoint, or one of another network.
    """
    architecture = load_architecture(run.architecture)
    if not isinstance(architecture, SnasnetArchitecture):
        raise InputError(f"{run.architecture} is not of the snasnet space; start a new run with `search`")
    if not run.checkpoint.is_file():
        raise untrained(run)
    network = SnasnetNetwork(architecture, data.pixels, len(data.labels))
    try:
        network.load_state_dict(load(read_bytes(run.checkpoint, MAX_CHECKPOINT_BYTES)))
    except (SafetensorError, RuntimeError) as error:
        raise InputError(
            f"{run.checkpoint} is damaged or of another network than {run.architecture.name}; train the run again"
        ) from error
    return network.eval()
