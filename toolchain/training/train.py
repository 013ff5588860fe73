"""Train an architecture on a data set: float, fold, quantize, fine-tune, and prove the forward pass exact."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from toolchain.datasets import Dataset
from toolchain.errors import OutputsDifferError
from toolchain.graph import reference
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.loop import Progress, accuracy, scores, seconds_per_epoch
from toolchain.training.phases import Phase, train_both
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

    epochs_of = {"float": plan.float_epochs, "integer": plan.quantized_epochs}

    def report_epoch(phase: Phase, epoch: int, loss: float, module: nn.Module) -> None:
        validation = accuracy(module, data.validation)
        progress(
            f"  {phase:<7} {epoch + 1:>3}/{epochs_of[phase]}  loss {loss:.4f}  validation {validation:.2%}"
        )

    quantized = train_both(network, data.train, plan, seed=seed, after_epoch=report_epoch)
    float_accuracies = accuracy(network, data.validation), accuracy(network, data.test)
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
