"""The trainable integer network: equal to the reference for any weights, within every bound, and able to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import random_graph, random_images, with_wrong_weight
from toolchain.graph import reference
from toolchain.graph.checks import findings
from toolchain.graph.codes import codes
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.network.quantized import QuantizedLif, QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.train import differing_integers


def warmed(graph: Graph, seed: int) -> SpikingNetwork:
    """A float network of ``graph``'s shape whose batch normalization has seen images, with some extreme channels."""
    network = SpikingNetwork(graph, seed=seed)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _ in range(3):
            network(torch.from_numpy(random_images(graph, 6, seed)))
        for name, values in network.named_parameters():
            if name.endswith("norm.weight"):
                values *= torch.rand(values.shape, generator=random) * 6
    return network.eval()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_forward_is_the_reference_for_every_score_and_spike(seed: int) -> None:
    graph = random_graph(seed)
    quantized = QuantizedNetwork(warmed(graph, seed)).eval()
    result = quantized.graph()
    assert findings(result) == [] and result.has_weights
    images = random_images(graph, 3, seed)
    with torch.no_grad():
        spikes = quantized.spikes(torch.from_numpy(images))
    (trace,) = reference.traces(result, images)
    assert all((spikes[name].numpy() == trace.spikes[name]).all() for name in trace.spikes)
    assert differing_integers(quantized, result, images) == 0


def test_an_off_by_one_weight_is_seen() -> None:
    seen = 0
    for seed in range(8):
        graph = random_graph(seed)
        quantized = QuantizedNetwork(warmed(graph, seed)).eval()
        seen += (
            differing_integers(quantized, with_wrong_weight(quantized.graph()), random_images(graph, 8, seed))
            > 0
        )
    assert seen >= 2  # one weight of 127 steps often has no effect on eight images, but not in every network


def small(edges: int = 1) -> Graph:
    shape = Shape(8, 4, 4)
    nodes = (
        Input("pixels", Shape(1, 4, 4)),
        Lif("stem", shape, (PixelConv("pixels", 3, 1),)),
        Lif("node", shape, (SpikeConv("stem", 3, 1),) * edges),
        Head("head", "node", 2),
    )
    return Graph(nodes, 4, Preprocessing(4, 4, "grey"), ("a", "b"))


def test_training_moves_the_integers_and_keeps_them_exact() -> None:
    graph = small()
    quantized = QuantizedNetwork(warmed(graph, 1))
    before = quantized.graph().sha256()
    images = random_images(graph, 16)
    targets = torch.arange(16) % 2
    optimizer = torch.optim.SGD(quantized.parameters(), lr=0.5)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(quantized(torch.from_numpy(images)), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    quantized.refit()
    assert losses[-1] < losses[0]
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in quantized.parameters())
    assert quantized.graph().sha256() != before
    assert differing_integers(quantized, quantized.graph(), images) == 0


def test_refit_gives_up_exponents_when_currents_outgrow_the_bounds() -> None:
    quantized = QuantizedNetwork(warmed(small(), 1))
    assert findings(quantized.graph()) == []
    with torch.no_grad():
        quantized.nodes["node"].bias.fill_(150.0)  # type: ignore[union-attr, operator]
    assert findings(quantized.graph()) != []
    assert quantized.refit() == 8
    assert findings(quantized.graph()) == []
    assert quantized.lost_exponents()["node"] >= 8
    images = random_images(quantized.architecture, 4)
    assert differing_integers(quantized, quantized.graph(), images) == 0


def test_thresholds_are_at_least_64_where_the_bounds_allow() -> None:
    quantized = QuantizedNetwork(warmed(small(), 2))
    for node in quantized.graph().all(Lif):
        assert node.threshold is not None and node.exponent is not None
        assert (node.threshold == 1 << node.exponent.astype(int)).all()
        assert (node.threshold >= 64).all()


def packed(bits: int, edges: int = 1, skip: bool = False) -> Graph:
    """``small`` with weights of ``bits`` bits in its second node and its head, and maybe a skip beside."""
    graph = small(edges)
    node, head = graph.node("node"), graph.head
    assert isinstance(node, Lif)
    node = replace(node, edges=(*node.edges, Skip("stem")) if skip else node.edges, bits=bits)
    return replace(graph, nodes=(*graph.nodes[:2], node, replace(head, bits=bits)))


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize("skip", [False, True])
def test_training_moves_codes_and_keeps_them_exact(bits: int, skip: bool) -> None:
    graph = packed(bits, edges=2, skip=skip)
    quantized = QuantizedNetwork(warmed(graph, 1))
    images = random_images(graph, 16)
    targets = torch.arange(16) % 2
    optimizer = torch.optim.Adam(quantized.parameters(), lr=0.02)
    before, losses = quantized.graph(), []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(quantized(torch.from_numpy(images)), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    quantized.refit()
    after = quantized.graph()
    assert min(losses[-5:]) < losses[0]
    for old, new in zip(before.nodes[2:], after.nodes[2:], strict=True):
        assert isinstance(new, Lif | Head) and isinstance(old, Lif | Head)
        assert new.bits == bits and old.code_shift is not None and new.code_shift is not None
        assert (new.code_shift <= old.code_shift).all()
    assert after.sha256() != before.sha256()
    assert findings(after) == [] and differing_integers(quantized, after, images) == 0


@pytest.mark.parametrize("bits", [4, 2])
def test_thresholds_follow_the_grid_only_where_no_edge_adds_a_unit(bits: int) -> None:
    for skip in (False, True):
        node = QuantizedNetwork(warmed(packed(bits, skip=skip), 2)).graph().node("node")
        assert isinstance(node, Lif) and node.threshold is not None and node.exponent is not None
        power = 1 << node.exponent.astype(int)
        assert (node.threshold == power).all() == skip
        assert (node.threshold >= 2**-0.5 * power - 1).all() and (node.threshold <= 2**0.5 * power + 1).all()
        assert (node.threshold >= 64).all()


@pytest.mark.parametrize("bits", [4, 2])
def test_wide_weights_are_clipped_rather_than_thresholds_made_small(bits: int) -> None:
    network = warmed(packed(bits), 2)
    with torch.no_grad():
        norm = network.nodes["node"].convolutions["0"].norm  # type: ignore[union-attr, index]
        norm.weight *= 2000
        norm.running_mean.zero_()  # or else the bias, which no clipping keeps small, would leave int16
    node = QuantizedNetwork(network).graph().node("node")
    assert isinstance(node, Lif) and node.threshold is not None and (node.threshold >= 64).all()


def test_lower_exponents_leave_codes_as_they_are_while_there_is_a_shift_to_give_up() -> None:
    quantized = QuantizedNetwork(warmed(packed(4), 1))
    module = quantized.nodes["node"]
    assert isinstance(module, QuantizedLif)
    before = module.quantized()
    with torch.no_grad():
        module.exponent -= 1
    after = module.quantized()
    assert before.code_shift is not None and after.code_shift is not None
    moved = before.code_shift > 0
    assert moved.any() and (after.code_shift[moved] == before.code_shift[moved] - 1).all()
    for one, other in zip(before.edges, after.edges, strict=True):
        assert isinstance(one, SpikeConv) and isinstance(other, SpikeConv)
        assert (codes(one.weight, before.code_shift) == codes(other.weight, after.code_shift))[moved].all()


def test_clipped_weights_get_no_gradient() -> None:
    quantized = QuantizedNetwork(warmed(packed(2), 1))
    module = quantized.nodes["node"]
    assert isinstance(module, QuantizedLif) and module.grid_exponent is not None and module.gain is not None
    quantized(torch.from_numpy(random_images(quantized.architecture, 8))).square().sum().backward()
    weight = module.weights["0"]
    step = (2.0 ** -module.grid_exponent.double() / module.gain).reshape(-1, 1, 1, 1)
    clipped = weight.detach().abs() > step
    assert clipped.any() and weight.grad is not None
    assert not weight.grad[clipped].any() and weight.grad[~clipped].any()


def test_integer_logits_are_close_to_the_float_ones() -> None:
    # One step and no leak: what remains is the rounding of weights, so spikes differ only near the threshold.
    graph = small()
    graph = replace(graph, time_steps=1)
    network = warmed(graph, 5)
    quantized = QuantizedNetwork(network).eval()
    pixels = torch.from_numpy(random_images(graph, 64, 5))
    with torch.no_grad():
        float_spikes, integer_spikes = network.spikes(pixels), quantized.spikes(pixels)
        assert (float_spikes["stem"] != integer_spikes["stem"]).float().mean() < 0.01
        assert (network(pixels) - quantized(pixels)).abs().mean() < 0.2


def test_two_convolutions_of_one_node_share_its_exponents() -> None:
    graph = small(edges=2)
    quantized = QuantizedNetwork(warmed(graph, 3))
    images = random_images(graph, 4)
    assert differing_integers(quantized, quantized.graph(), images) == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_initial_weights_depend_on_the_seed_alone(seed: int) -> None:
    graph = random_graph(4)
    torch.rand(7)
    first = SpikingNetwork(graph, seed=seed).state_dict()
    torch.rand(3)
    second = SpikingNetwork(graph, seed=seed).state_dict()
    assert all((first[name] == second[name]).all() for name in first)
    other = SpikingNetwork(graph, seed=seed + 1).state_dict()
    assert any((first[name] != other[name]).any() for name in first)


def test_a_node_of_skips_alone_learns_a_bias() -> None:
    graph = small()
    node = replace(graph.node("node"), edges=(Skip("stem"),))
    graph = replace(graph, nodes=(*graph.nodes[:2], node, graph.head))
    network = warmed(graph, 0)
    assert isinstance(network.nodes["node"].bias, torch.nn.Parameter)
    with torch.no_grad():
        network.nodes["node"].bias -= 0.3  # type: ignore[operator, union-attr]
    quantized = QuantizedNetwork(network)
    result = quantized.graph().node("node")
    assert isinstance(result, Lif) and result.bias is not None and (result.bias < 0).all()
    assert np.abs(result.bias / result.threshold + 0.3).max() < 0.01  # type: ignore[operator]
