from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.architecture_strategies import architectures
from toolchain.architecture.architecture import Architecture, Shrink
from toolchain.architecture.build import build
from toolchain.architecture.cells import Cell
from toolchain.architecture.text import EXAMPLE, parse
from toolchain.errors import InputError
from toolchain.graph.checks import findings
from toolchain.graph.graph import Graph, arrays
from toolchain.graph.nodes import Lif, OrPool, PixelConv, Pool, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

DIGITS = tuple("0123456789")


SMALL = Shape(1, 16, 16)


def built(line: str, shape: Shape = SMALL) -> Graph:
    return build(parse(line), shape, Preprocessing(shape.height, shape.width, "as_is"), DIGITS)


def lif(graph: Graph, name: str) -> Lif:
    node = graph.node(name)
    assert isinstance(node, Lif)
    return node


def test_the_documented_example_node_by_node() -> None:
    graph = built(EXAMPLE)
    assert [node.name for node in graph.nodes] == [
        "pixels", "stem", "cell0_node3", "shrink1", "cell1_node1", "cell1_node2", "cell1_node3", "head"
    ]  # fmt: skip
    assert lif(graph, "stem").shape == Shape(16, 8, 8)
    assert lif(graph, "shrink1").shape == lif(graph, "cell1_node3").shape == Shape(32, 4, 4)
    stem, shrink = lif(graph, "stem").edges[0], lif(graph, "shrink1").edges[0]
    assert isinstance(stem, PixelConv) and (stem.kernel, stem.stride) == (3, 2)
    assert isinstance(shrink, SpikeConv) and (shrink.source, shrink.kernel, shrink.stride) == (
        "cell0_node3",
        3,
        2,
    )
    skip, last = lif(graph, "cell1_node3").edges
    assert isinstance(skip, Skip) and skip.source == "shrink1"
    assert isinstance(last, SpikeConv) and (last.source, last.kernel, last.stride) == ("cell1_node2", 3, 1)
    between = lif(graph, "cell1_node2").edges[0]
    assert isinstance(between, SpikeConv) and (between.source, between.kernel) == ("cell1_node1", 1)
    assert graph.head.source == "cell1_node3" and graph.head.classes == 10 and graph.head_features() == 32
    assert graph.time_steps == 4 and graph.labels == DIGITS
    assert all(array is None for _, array in arrays(graph))


def test_pools_leaks_resets_and_heads() -> None:
    graph = built("t2 decay1 reset-zero stem4/1 004000 pool8 pool8 001000 head-flatten", Shape(3, 9, 13))
    assert isinstance(lif(graph, "cell0_node3").edges[0], Pool)
    pool, shrink = graph.node("pool1"), lif(graph, "shrink1")
    assert isinstance(pool, OrPool) and pool.shape == Shape(4, 4, 6) and pool.source == "cell0_node3"
    assert shrink.shape == Shape(8, 4, 6) and shrink.edges[0].source == "pool1"
    assert lif(graph, "shrink2").shape == Shape(8, 2, 3)
    assert all(
        (node.leak.form, node.leak.shift, node.reset) == ("shift", 1, "zero") for node in graph.all(Lif)
    )
    assert graph.head_features() == 8 * 2 * 3


def test_weights_of_spikes_have_the_bits() -> None:
    graph = built("t2 leak1 reset-zero w4 stem4/1 001000 stride8 003000 head-flatten")
    assert {node.name: node.bits for node in graph.all(Lif)} == {
        "stem": 8, "cell0_node3": 8, "shrink1": 4, "cell1_node3": 4
    }  # fmt: skip
    assert graph.head.bits == 4
    assert built("t2 leak1 reset-zero w2 stem4/1 003000 head-count").head.bits == 8


def test_a_network_may_have_no_cell() -> None:
    assert [node.name for node in built("t1 no-leak reset-zero stem4/2 head-count").nodes] == [
        "pixels",
        "stem",
        "head",
    ]


@given(
    architectures(max_channels=40, max_blocks=5),
    st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40)),
    st.integers(2, 12),
)
def test_every_graph_built_is_valid(
    architecture: Architecture, extent: tuple[int, int, int], classes: int
) -> None:
    shape = Shape(*extent)
    labels = tuple(f"c{index}" for index in range(classes))
    try:
        graph = build(architecture, shape, Preprocessing(shape.height, shape.width, "as_is"), labels)
    except InputError:
        # Only OR pooling of a map one neuron wide, or more spikes than 16 bits count, cannot be built.
        pools = any(isinstance(block, Shrink) and block.form == "pool" for block in architecture.blocks)
        assert pools or (architecture.head == "count" and 8 * shape.height * shape.width > 0xFFFF)
        return
    assert findings(graph) == []
    assert sum(isinstance(block, Cell) for block in architecture.blocks) == len(
        {node.name.split("_")[0] for node in graph.nodes if node.name.startswith("cell")}
    )


def test_maps_that_vanish_are_refused_with_the_node() -> None:
    with pytest.raises(InputError, match=r"pool1: has the shape \(4, 0, 0\)"):
        built("t1 no-leak reset-zero stem4/1 pool4 head-count", Shape(1, 1, 1))


def test_counts_that_overflow_are_refused() -> None:
    with pytest.raises(InputError, match="counts up to 131072 spikes"):
        built("t8 leak2 reset-zero stem4/2 001000 head-count", Shape(1, 256, 256))
