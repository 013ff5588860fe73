"""Training of a network of the ``snasnet`` space in float, which is all the training that it gets."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.datasets import Dataset
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.training.loop import Progress, accuracy, train_phase
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
    pixels = Shape(*data.train.images.shape[1:])
    network = SnasnetNetwork(architecture, pixels, len(data.labels), seed=seed)
    plan = recipe(len(data.train), epochs)

    def report(epoch: int, loss: float) -> None:
        progress(f"  float {epoch + 1:>3}/{plan.epochs}  loss {loss:.4f}")

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        train_phase(
            network,
            data.train,
            epochs=plan.epochs,
            batch=plan.batch,
            rate=plan.float_rate,
            weight_decay=plan.weight_decay,
            seed=seed,
            after_epoch=report,
        )
    return Trained(network.eval(), plan, accuracy(network, data.validation), accuracy(network, data.test))
