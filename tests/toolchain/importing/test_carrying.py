"""What was carried over computes what the model computes in snnTorch, where its neuron is one that is here too."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import nn

from tests.support.data import bars
from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.graph.nodes import Head, Leak, Lif, OrPool
from toolchain.importing.carrying import Carried, carry
from toolchain.importing.layers import layers_of
from toolchain.importing.network import fill
from toolchain.importing.original import outputs
from toolchain.importing.pixels import PixelForm
from toolchain.importing.rules import require_carriable
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.evaluation import scores

STEPS = 4


def leaky(beta: float = 0.75, **options: Any) -> snn.Leaky:
    """A neuron that is the same here: a leak that shifts do, and a reset to zero."""
    return snn.Leaky(beta=beta, init_hidden=True, **{"reset_mechanism": "zero"} | options)


def carried(model: nn.Sequential, data: Dataset, form: PixelForm | None = None) -> Carried:
    layers = layers_of(model, "net.py:build")
    require_carriable(layers, "net.py:build")
    return carry(layers, data, STEPS, form or PixelForm())


def plain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        leaky(threshold=0.5),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3, stride=2, padding=1),
        leaky(beta=0.5, reset_delay=False),
        nn.Flatten(),
        nn.Linear(5 * 2 * 2, 3),
    )


def normalized() -> nn.Sequential:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        leaky(threshold=0.3),
        nn.Sequential(
            nn.Conv2d(6, 4, 1), nn.BatchNorm2d(4, affine=False), nn.Dropout2d(0.5), leaky(beta=1.0)
        ),
        nn.Flatten(),
        nn.Linear(4 * 64, 3),
        nn.BatchNorm1d(3),
    )
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) / 4
            module.running_var = torch.rand(module.num_features) + 0.2
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 2)
                nn.init.normal_(module.bias)
    return model


def averages() -> nn.Sequential:
    """Averages folded before and behind 1x1 convolutions and into the head."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 1),
        nn.AvgPool2d(2),
        leaky(threshold=0.4),
        nn.AvgPool2d(3, 1, 1),
        nn.Conv2d(12, 16, 1),
        leaky(threshold=1.0),
        nn.AvgPool2d(2),
        nn.Conv2d(16, 16, 1),
        leaky(threshold=1.5),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 3),
    )


def counted() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1),
        leaky(beta=0.25, threshold=0.2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )


def hidden() -> nn.Sequential:
    """Hidden linear layers on a map of 2x2, and of 1x1."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        leaky(threshold=0.2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 10),
        nn.BatchNorm1d(10),
        leaky(threshold=0.2),
        nn.Linear(10, 7, bias=False),
        leaky(threshold=0.1),
        nn.Linear(7, 3),
    )


def by_channel() -> nn.Sequential:
    threshold = torch.linspace(0.1, 0.9, 4).reshape(4, 1, 1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        leaky(threshold=threshold, learn_threshold=True, learn_beta=True),
        nn.Flatten(),
        nn.Linear(256, 3),
    )


@pytest.mark.parametrize("build", [plain, normalized, averages, counted, hidden, by_channel])
@pytest.mark.parametrize("form", [PixelForm(), PixelForm(1.0, std=(40.0,))])
def test_outputs_are_the_same(build: Callable[[], nn.Sequential], form: PixelForm) -> None:
    torch.manual_seed(1)
    model, data = build().eval(), bars(80)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.1)
    found = carried(model, data, form)
    network = SpikingNetwork(found.graph)
    fill(network, found)
    network.eval()
    wanted, got = outputs(model, data.train.images, STEPS, form), scores(network, data.train.images)
    same = np.isclose(got, wanted, atol=1e-3).all(axis=1)
    # A potential that misses its threshold by a rounding error fires on one side alone.
    assert same.mean() >= 0.95
    assert np.ptp(wanted, axis=0).min() > 0.01, "the network should do something"
    assert [note for note in found.notes if "fire above" not in note] == []


def test_a_mean_folds_exactly_where_nothing_is_padded() -> None:
    torch.manual_seed(2)
    form, data = PixelForm(255.0, (0.3,), (0.5,)), bars(40)
    model = nn.Sequential(nn.Conv2d(1, 5, 1), leaky(threshold=0.2), nn.Flatten(), nn.Linear(320, 3)).eval()
    found = carried(model, data, form)
    network = SpikingNetwork(found.graph)
    fill(network, found)
    wanted, got = outputs(model, data.train.images, STEPS, form), scores(network.eval(), data.train.images)
    assert np.isclose(got, wanted, atol=1e-3).all(axis=1).mean() >= 0.95
    padded = nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), *list(model)[1:])
    assert any("padding is black" in note for note in carried(padded, data, form).notes)


@pytest.mark.parametrize("late", [False, True])
def test_reset_by_subtraction_is_the_same_until_a_neuron_has_fired(late: bool) -> None:
    """And is said to differ then: in one time step nothing can."""
    torch.manual_seed(4)
    neuron = leaky(threshold=0.3, reset_mechanism="subtract", reset_delay=late)
    model, data = (
        nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), neuron, nn.Flatten(), nn.Linear(320, 3)),
        bars(80),
    )
    found = carry(layers_of(model, "x"), data, 1, PixelForm())
    network = SpikingNetwork(found.graph)
    fill(network, found)
    wanted = outputs(model, data.train.images, 1, PixelForm())
    np.testing.assert_allclose(scores(network.eval(), data.train.images), wanted, atol=1e-4)
    assert ("a step late" if late else "still above its threshold") in found.notes[0]


def test_nodes_are_what_the_layers_say() -> None:
    graph = carried(plain(), bars(40)).graph
    first, pool, second, head = graph.nodes[1:]
    assert isinstance(first, Lif) and first.leak == Leak("subtract", 2) and first.reset == "zero"
    assert isinstance(pool, OrPool) and pool.shape == (6, 4, 4)
    assert isinstance(second, Lif) and second.leak.kept == 0.5 and second.reset == "zero"
    assert isinstance(head, Head) and head.features == "flatten"
    counts = carried(counted(), bars(40)).graph
    assert counts.head.features == "count" and next(counts.all(Lif)).leak == Leak("shift", 2)


def test_what_differs_is_said_with_both_values() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        leaky(beta=0.9, reset_mechanism="subtract"),
        nn.Flatten(),
        nn.Linear(256, 3),
        leaky(output=True),
    )
    leak, last, late, above = carried(model, bars(40)).notes
    assert "layer 1 (Leaky): keeps beta = 0.9" in leak and "0.875, 1 - 2^-3" in leak
    assert "layer 4 (Leaky): the scores here are the currents" in last
    assert "layers 1 reset by subtraction a step late" in late and "--epochs" in late
    assert "fire above their threshold" in above


LIF, CONV = leaky(), nn.Conv2d(1, 4, 3, padding=1)
END = (nn.Flatten(), nn.Linear(256, 3))


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        (
            (CONV, nn.MaxPool2d(2), LIF, *END),
            r"layer 1 \(MaxPool2d\) takes maxima of currents; put it behind",
        ),
        ((CONV, nn.AvgPool2d(2), LIF, *END), r"layer 1 \(AvgPool2d\) averages currents"),
        ((CONV, CONV, LIF, *END), r"layer 1 \(Conv2d\) follows layer 0 \(Conv2d\) with no Leaky"),
        ((nn.MaxPool2d(2), CONV, LIF, *END), r"layer 0 \(MaxPool2d\) pools pixels"),
        ((LIF, CONV, *END), r"layer 0 \(Leaky\) has no convolution"),
        ((CONV, LIF, nn.AvgPool2d(2), nn.Conv2d(4, 4, 3, padding=1), LIF, *END), "reads averages of spikes"),
        ((CONV, LIF, nn.BatchNorm2d(4), *END), r"layer 2 \(BatchNorm2d\) normalizes spikes"),
        ((CONV, nn.BatchNorm2d(7), LIF, *END), r"layer 1 \(BatchNorm2d\) has 7 features, but gets 4"),
        ((CONV, LIF, nn.Conv2d(3, 4, 1), LIF, *END), r"layer 2 \(Conv2d\) takes 3 channels and gets 4"),
        ((CONV, LIF, nn.Linear(256, 3)), r"layer 2 \(Linear\) reads a map of 4x8x8; put an nn.Flatten"),
        ((CONV, LIF, nn.Flatten(), nn.Linear(99, 3)), r"takes 99 features and gets 4x8x8; give the size"),
        ((CONV, LIF, nn.Flatten(), nn.Linear(256, 7)), "gives 7 outputs, but the data have 3 classes"),
        ((nn.Flatten(), nn.Linear(64, 3)), r"layer 1 \(Linear\) reads pixels"),
        (
            (CONV, LIF, nn.Flatten(), nn.Linear(256, 9), LIF, nn.Linear(9, 3)),
            r"layer 3 \(Linear\) is hidden and reads a map of 8x8",
        ),
        ((CONV, LIF, nn.AvgPool2d(20), *END), r"layer 2 \(AvgPool2d\) does not fit a map of 4x8x8"),
        ((CONV, LIF, nn.Flatten(), nn.MaxPool2d(2), nn.Linear(256, 3)), "comes behind averages or a Flatten"),
        ((CONV, LIF, *END, nn.Conv2d(3, 3, 1)), r"layer 4 \(Conv2d\) comes behind the last Linear"),
        ((CONV, LIF, nn.Flatten()), "ends without a Linear layer"),
        ((CONV, leaky(threshold=torch.ones(5, 1, 1)), *END), "has 5 thresholds, but 4 channels"),
    ],
)
def test_what_its_neighbours_leave_no_place_for_is_refused_by_name(
    layers: tuple[nn.Module, ...], reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        carried(nn.Sequential(*map(deepcopy, layers)), bars(40))
    assert "\n" not in str(caught.value)


def test_frames_must_be_one_a_time_step() -> None:
    from tests.support.graphs import random_graph

    framed = random_graph(3, framed=True)
    data = replace(bars(40), preprocessing=framed.preprocessing)
    with pytest.raises(InputError, match=f"give --time-steps {framed.time_steps}|valid"):
        carry(layers_of(plain(), "x"), data, framed.time_steps + 1, PixelForm())
