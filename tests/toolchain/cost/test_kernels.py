from __future__ import annotations

from toolchain.cost.kernels import permitted, scratch_bytes
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Pool, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

MAP = Shape(17, 6, 6)
GRAPH = Graph(
    (
        Input("pixels", Shape(1, 6, 6)),
        Lif("stem", MAP, (PixelConv("pixels", 3, 1),)),
        Lif("node", MAP, (SpikeConv("stem", 3, 1), SpikeConv("stem", 1, 1), Skip("stem"), Pool("stem"))),
        Lif("passing", MAP, (Skip("node"), Pool("node"))),
        Head("head", "passing", 2),
    ),
    5,
    Preprocessing(6, 6, "grey"),
    ("a", "b"),
)


def scratch(name: str) -> int:
    node = GRAPH.node(name)
    assert isinstance(node, Lif)
    assert scratch_bytes(GRAPH, node) == max(rule(GRAPH, node) for rule in permitted(node).values())
    return scratch_bytes(GRAPH, node)


def test_pixels_are_summed_in_registers() -> None:
    assert scratch("stem") == 0


def test_an_event_list_has_a_word_for_all_that_may_fire_in_a_window() -> None:
    # Five steps, nine positions and one, two blocks of channels, four bytes; skips and pools are not listed.
    assert scratch("node") == 5 * (9 + 1) * 2 * 4


def test_a_node_without_convolutions_lists_nothing() -> None:
    assert scratch("passing") == 0
