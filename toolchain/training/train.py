"""Train an architecture on a data set: float, fold, quantize, fine-tune, and prove the forward pass exact."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from toolchain.datasets import Dataset
from toolchain.errors import OutputsDifferError
from toolchain.graph import reference
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.loop import Progress, accuracy, scores, seconds_per_epoch, train_phase
from toolchain.training.recipe import Recipe, epochs_in, recipe

SMALL_THRESHOLD = 64
"""Thresholds below this bend the firing rate noticeably, because the leak is floored (8 % at 32, measured)."""


@dataclass(frozen=True)
class TrainingReport:
    """What training measured. Accuracies are shares; ``differing_integers`` compares torch with the reference."""

    recipe: Recipe
    seed: int
    seconds: float
    float_validation_accuracy: float
    float_test_accuracy: float
    validation_accuracy: float
    test_accuracy: float
    test_images: int
    is_demonstration: bool
    differing_integers: int
    lost_exponents: dict[str, int]
    small_thresholds: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"schema": "spikenas-training/1"} | asdict(self)


@dataclass(frozen=True)
class Trained:
    """The float network, the Graph with integer weights, and the report."""

    network: SpikingNetwork
    graph: Graph
    report: TrainingReport


def train(
    graph: Graph,
    data: Dataset,
    *,
    seed: int,
    epochs: int | None,
    time_budget_s: float | None,
    progress: Progress,
) -> Trained:
    """Train ``graph`` on ``data``; ``epochs`` beats ``time_budget_s``, which beats the recipe's own number.

    Raises ``InputError`` if training diverges, ``OutputsDifferError`` if the integer forward pass of
    training is not the reference's on every test image.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    network = SpikingNetwork(graph, seed=seed)
    plan = recipe(len(data.train), epochs)
    if epochs is None and time_budget_s is not None:
        fitting = epochs_in(time_budget_s, seconds_per_epoch(network, data.train, plan.batch))
        plan = recipe(len(data.train), min(plan.epochs, fitting))
    progress(
        f"training {plan.epochs} epochs, {plan.quantized_epochs} of them in integers, on {len(data.train):,} images"
    )

    def report_float(epoch: int, loss: float) -> None:
        validation = accuracy(network, data.validation)
        progress(
            f"  float   {epoch + 1:>3}/{plan.float_epochs}  loss {loss:.4f}  validation {validation:.2%}"
        )

    train_phase(
        network,
        data.train,
        epochs=plan.float_epochs,
        batch=plan.batch,
        rate=plan.float_rate,
        weight_decay=plan.weight_decay,
        seed=seed,
        after_epoch=report_float,
    )
    float_accuracies = accuracy(network, data.validation), accuracy(network, data.test)
    quantized = QuantizedNetwork(network.eval())

    def report_integer(epoch: int, loss: float) -> None:
        quantized.refit()
        validation = accuracy(quantized, data.validation)
        progress(
            f"  integer {epoch + 1:>3}/{plan.quantized_epochs}  loss {loss:.4f}  validation {validation:.2%}"
        )

    train_phase(
        quantized,
        data.train,
        epochs=plan.quantized_epochs,
        batch=plan.batch,
        rate=plan.quantized_rate,
        weight_decay=0.0,
        seed=seed + 1,
        after_epoch=report_integer,
    )
    result = quantized.graph()
    require_valid(result, "the trained network", weights=True)
    report = TrainingReport(
        recipe=plan,
        seed=seed,
        seconds=round(time.perf_counter() - start, 1),
        float_validation_accuracy=float_accuracies[0],
        float_test_accuracy=float_accuracies[1],
        validation_accuracy=accuracy(quantized, data.validation),
        test_accuracy=accuracy(quantized, data.test),
        test_images=len(data.test),
        is_demonstration=data.is_demonstration,
        differing_integers=differing_integers(quantized, result, data.test.images),
        lost_exponents=quantized.lost_exponents(),
        small_thresholds=small_thresholds(result),
    )
    progress(
        f"test accuracy {report.test_accuracy:.2%} in integers, {report.float_test_accuracy:.2%} in float "
        f"({report.test_images:,} images)"
    )
    if report.differing_integers:
        raise OutputsDifferError(
            f"{report.differing_integers} scores of the trained network differ from the reference interpreter; "
            "this is a bug, please report it with the run folder"
        )
    return Trained(network, result, report)


def differing_integers(network: QuantizedNetwork, graph: Graph, images: np.ndarray) -> int:
    """Scores of training's forward pass that differ from the reference's on ``images`` uint8 [n, C, H, W]."""
    network.eval()
    return int((scores(network.scores, images) != reference.scores(graph, images)).sum())


def small_thresholds(graph: Graph) -> dict[str, int]:
    """Channels with a threshold under 64 at which a leak is used, by node; nodes without any are left out."""
    found = {
        node.name: int((node.threshold < SMALL_THRESHOLD).sum())
        for node in graph.all(Lif)
        if node.threshold is not None and node.leak.form != "none"
    }
    return {name: channels for name, channels in found.items() if channels}
