"""Training of a network of the ``snasnet`` space in float, which is all the training that it gets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.datasets import Dataset
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.training.evaluation import quality
from toolchain.training.objective import objective
from toolchain.training.phase import Extent, Phase
from toolchain.training.progress import Progress
from toolchain.training.recipe import Recipe, recipe


@dataclass(frozen=True)
class Trained:
    """The network, in evaluation mode, and its share of right answers."""

    network: SnasnetNetwork
    plan: Recipe
    validation_accuracy: float
    test_accuracy: float


def train(
    architecture: SnasnetArchitecture,
    data: Dataset,
    *,
    seed: int,
    progress: Progress,
    epochs: int | None = None,
) -> Trained:
    """Train a fresh network drawn from ``seed`` on ``data``, all epochs of its recipe in float.

    So it sees as many images as a network of the ``spikenas`` space does in both phases. The published network
    was trained by stochastic gradient descent over 300 epochs. Raises ``InputError`` if the images are too small
    or training diverges.
    """
    network = SnasnetNetwork(architecture, data.pixels, len(data.labels), seed=seed)
    plan, task = recipe(len(data.train), epochs), objective(data)
    running = phase(network, data, plan, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        while running.step < running.steps:
            running.advance()
            if running.at_epoch_end:
                progress(f"  float {running.epoch:>3}/{plan.epochs}  loss {running.mean_loss:.4f}")
    running.finish()
    network.eval()
    return Trained(network, plan, quality(network, data.validation, task), quality(network, data.test, task))


def phase(network: SnasnetNetwork, data: Dataset, plan: Recipe, *, seed: int) -> Phase:
    """The one phase that trains ``network``: all epochs of ``plan`` in float."""
    task = objective(data, label_smoothing=plan.label_smoothing)
    extent = Extent(plan.epochs, plan.float_rate, plan.weight_decay)

    def loss(pixels: Tensor, targets: Tensor) -> Tensor:
        return task.loss(network(pixels), targets)

    return Phase("float", network, data.train, task, plan, extent, loss, seed=seed)
