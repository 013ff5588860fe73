from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.architectures import LINES, quantized, untrained
from toolchain.cost.artifacts import weight_count
from toolchain.cost.operations import operations, operations_by_node, parameter_count, parameters_by_node
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Pool, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

HAND = Graph(
    (
        Input("pixels", Shape(1, 4, 4)),
        Lif("stem", Shape(2, 4, 4), (PixelConv("pixels", 3, 1),)),
        Lif("node", Shape(3, 2, 2), (SpikeConv("stem", 3, 2),)),
        Lif("last", Shape(3, 2, 2), (SpikeConv("node", 1, 1), Skip("node"), Pool("node"))),
        Head("head", "last", 5),
    ),
    4,
    Preprocessing(4, 4, "grey"),
    tuple("abcde"),
)


def test_a_small_network_by_hand() -> None:
    found = operations(HAND)
    assert found.pixel_macs == 9 * 1 * 32  # once, whatever the time steps
    assert found.dense_acs == 4 * (9 * 2 * 12 + 3 * 12)
    assert found.head_macs == 15
    assert found.membrane_updates == 4 * (32 + 12 + 12)
    assert found.dense == 288 + 1008 + 15
    assert found.effective_acs is None


def test_every_frame_is_convolved() -> None:
    """As pixels that are frames, the pixel layer has its products once a time step, and everything else as it was."""
    framed = replace(HAND, nodes=(replace(HAND.input, frames=4), *HAND.nodes[1:]))
    once, each = operations(HAND), operations(framed)
    assert each == replace(once, pixel_macs=4 * once.pixel_macs)


def test_effective_operations_follow_the_spikes_of_the_source() -> None:
    found = operations(HAND, {"stem": 0.5, "node": 0.25, "last": 1.0})
    assert found.effective_acs == 4 * (9 * 2 * 12 * 0.5 + 3 * 12 * 0.25)
    assert operations(HAND, {"stem": 1.0, "node": 1.0}).effective_acs == operations(HAND).dense_acs


def test_every_node_has_its_share() -> None:
    found = operations_by_node(HAND, {"stem": 0.5, "node": 0.25, "last": 1.0})
    assert list(found) == ["stem", "node", "last", "head"]
    assert (found["stem"].pixel_macs, found["stem"].dense_acs, found["stem"].membrane_updates) == (
        288,
        0,
        128,
    )
    assert (found["node"].dense_acs, found["node"].effective_acs) == (4 * 9 * 2 * 12, 4 * 9 * 12)
    assert (found["last"].dense_acs, found["last"].effective_acs) == (4 * 36, 36)
    assert found["head"].head_macs == 15


@pytest.mark.parametrize("line", LINES)
def test_nodes_sum_up(line: str) -> None:
    graph = quantized(line)
    whole, nodes = operations(graph), operations_by_node(graph).values()
    for name in ("pixel_macs", "head_macs", "dense_acs", "membrane_updates"):
        assert sum(getattr(node, name) for node in nodes) == getattr(whole, name)
    assert sum(parameters_by_node(graph).values()) == parameter_count(graph)


@pytest.mark.parametrize("line", LINES)
def test_parameters_are_weights_and_three_values_a_channel(line: str) -> None:
    graph = quantized(line)
    lifs = list(graph.all(Lif))
    rest = 3 * sum(node.shape.channels for node in lifs) + lifs[0].shape.channels + graph.head.classes
    assert parameter_count(graph) == weight_count(untrained(line)) + rest
