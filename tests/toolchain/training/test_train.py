from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.data import bars
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.network.spiking import SpikingNetwork
from toolchain.training import loop
from toolchain.training.train import small_thresholds, train


def network(side: int = 8) -> Graph:
    shape = Shape(8, side, side)
    nodes = (
        Input("pixels", Shape(1, side, side)),
        Lif("stem", shape, (PixelConv("pixels", 3, 1),)),
        Lif("node", Shape(8, side // 2, side // 2), (SpikeConv("stem", 3, 2),)),
        Head("head", "node", 3),
    )
    return Graph(nodes, 3, Preprocessing(side, side, "grey"), ("a", "b", "c"))


def quiet(message: str) -> None:
    pass


def test_training_learns_and_is_exact() -> None:
    data = bars(240)
    messages: list[str] = []
    result = train(network(), data, seed=0, epochs=20, time_budget_s=None, progress=messages.append)
    report = result.report
    assert report.test_accuracy > 0.8  # chance is a third
    assert report.differing_integers == 0
    scores = reference.scores(result.graph, data.test.images)
    assert report.test_accuracy == (reference.predictions(scores) == data.test.targets).mean()
    assert report.recipe.epochs == 20 and report.test_images == 60
    assert any("integer" in message for message in messages)


def test_the_same_seed_gives_the_same_network() -> None:
    data = bars(60)
    runs = [
        train(network(), data, seed=seed, epochs=2, time_budget_s=None, progress=quiet) for seed in (1, 1, 2)
    ]
    first, again, other = (run.graph.sha256() for run in runs)
    assert first == again != other


def test_a_time_budget_shortens_training() -> None:
    result = train(network(), bars(60), seed=0, epochs=None, time_budget_s=0.001, progress=quiet)
    assert result.report.recipe.epochs == 2


def test_probing_the_time_leaves_the_network_as_it_was() -> None:
    net = SpikingNetwork(network(), seed=0)
    before = {name: values.clone() for name, values in net.state_dict().items()}
    assert loop.seconds_per_epoch(net, bars(60).train, 10) > 0
    assert all((values == before[name]).all() for name, values in net.state_dict().items())
    assert all(values.grad is None for values in net.parameters())


@pytest.mark.parametrize("steps", range(1, 12))
def test_any_number_of_steps_can_be_trained(steps: int) -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(3))
    data = bars(60).train
    data = replace(data, images=data.images.astype(np.float32))
    epochs: list[int] = []
    loop.train_phase(
        net,
        data,
        epochs=steps,
        batch=len(data),
        rate=0.1,
        weight_decay=0.0,
        seed=0,
        after_epoch=lambda e, v: epochs.append(e),
    )
    assert len(epochs) == steps


def test_divergence_is_one_sentence() -> None:
    net = SpikingNetwork(network(), seed=0)
    with torch.no_grad():
        net.head.linear.weight.fill_(float("nan"))
    with pytest.raises(InputError, match="training diverged in epoch 1"):
        loop.train_phase(
            net,
            bars(60).train,
            epochs=1,
            batch=10,
            rate=0.1,
            weight_decay=0.0,
            seed=0,
            after_epoch=lambda e, v: None,
        )


def test_accuracy_counts_every_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 7)
    data = bars(60).test

    class Oracle(torch.nn.Module):
        """Knows the first ten images."""

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            right = torch.from_numpy(np.array([self.answer(image) for image in pixels.numpy()]))
            return torch.nn.functional.one_hot(right, 3).float()

        def answer(self, image: np.ndarray) -> int:
            (index,) = np.flatnonzero((data.images == image).all(axis=(1, 2, 3)))
            return int(data.targets[index]) if index < 10 else int(data.targets[index] + 1) % 3

    assert loop.accuracy(Oracle(), data) == 10 / 15


def test_small_thresholds_are_reported_by_node() -> None:
    graph = train(network(), bars(60), seed=0, epochs=2, time_budget_s=None, progress=quiet).graph
    assert small_thresholds(graph) == {}
    node = graph.node("node")
    assert isinstance(node, Lif) and node.threshold is not None
    low = replace(node, threshold=np.where(np.arange(8) < 3, 32, node.threshold).astype(np.int16))
    assert small_thresholds(replace(graph, nodes=(*graph.nodes[:2], low, graph.head))) == {"node": 3}
