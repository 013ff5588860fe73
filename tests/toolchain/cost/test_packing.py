from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.cost.packing import aligned, blocks, constants, head_arrays, plane_bytes, weight_rows
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, OrPool, PixelConv, Pool, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

STEM, MAP, HALF = Shape(17, 9, 7), Shape(20, 5, 4), Shape(20, 2, 2)
HAND = Graph(
    (
        Input("pixels", Shape(3, 9, 7)),
        Lif("stem", STEM, (PixelConv("pixels", 3, 1),)),
        Lif("node", MAP, (SpikeConv("stem", 3, 2),)),
        Lif("mixed", MAP, (SpikeConv("node", 3, 1), SpikeConv("node", 1, 1), Skip("node"), Pool("node"))),
        Lif("passing", MAP, (Skip("mixed"),)),
        OrPool("shrunk", HALF, "passing"),
        Head("head", "shrunk", 5, "flatten"),
    ),
    4,
    Preprocessing(9, 7, "rgb"),
    tuple("abcde"),
)


def test_sizes_are_rounded_up_to_blocks_and_words() -> None:
    assert [blocks(channels) for channels in (1, 16, 17, 32, 33)] == [1, 1, 2, 2, 3]
    assert [aligned(size) for size in (0, 1, 4, 5)] == [0, 4, 4, 8]
    assert plane_bytes(STEM, 4) == 9 * 4 * 7 * 2 * 2


def test_every_constant_of_a_small_network_by_hand() -> None:
    found = {constant.symbol: constant.size_bytes for constant in constants(HAND)}
    assert found == {
        # 17 channels make two blocks of 16; 27 rows of 3 x 3 positions and 3 colours, in twos.
        "stem_weights": 32 * 28,
        "stem_bias": 64,
        "stem_threshold": 64,
        "stem_rounding": 32,
        "stem_node": 44,
        "node_weights": 32 * 9 * 17,
        "node_bias": 64,
        "node_threshold": 64,
        "node_edges": 16,
        "node_node": 48,
        "mixed_weights": 32 * (9 * 20 + 20),
        "mixed_bias": 64,
        "mixed_threshold": 64,
        "mixed_exponent": 32,
        "mixed_edges": 4 * 16,
        "mixed_node": 48,
        "passing_bias": 64,
        "passing_threshold": 64,
        "passing_exponent": 32,
        "passing_edges": 16,
        "passing_node": 48,
        "shrunk_node": 20,
        "head_weights": 5 * 20 * 2 * 2,
        "head_bias": 20,
        "head_node": 36,
        "info": 60,
        "known_image": 3 * 9 * 7,
        "known_scores": 20,
    }
    assert (
        sum(aligned(size) for size in found.values()) == sum(found.values()) + 3
    )  # 189 pixels become 192 bytes


@pytest.mark.parametrize("bits", [4, 2])
def test_packed_constants_of_the_same_network_by_hand(bits: int) -> None:
    nodes = [
        replace(node, bits=bits) if node.name in ("node", "mixed", "head") else node for node in HAND.nodes
    ]
    found = {
        constant.symbol: constant.size_bytes for constant in constants(replace(HAND, nodes=tuple(nodes)))
    }
    before = {constant.symbol: constant.size_bytes for constant in constants(HAND)}
    assert {symbol: size for symbol, size in found.items() if before.get(symbol) != size} == {
        # Sixteen codes are 8 or 4 bytes; 80 features of 5 classes are 40 or 20 bytes a class.
        "node_weights": 32 * 9 * 17 * bits // 8,
        "node_shift": 32,
        "node_node": 52,
        "mixed_weights": 32 * (9 * 20 + 20) * bits // 8,
        "mixed_shift": 32,
        "mixed_node": 52,
        "head_weights": 5 * 80 * bits // 8,
        "head_shift": 5,
        "head_node": 40,
    }
    assert set(before) <= set(found)


def test_a_class_of_the_head_begins_with_a_byte_of_its_own() -> None:
    assert [head_arrays(3, 5, bits)["weights"] for bits in (8, 4, 2)] == [15, 9, 6]


@pytest.mark.parametrize(("name", "rows"), [("stem", 27), ("node", 153), ("mixed", 200), ("passing", 0)])
def test_weight_rows(name: str, rows: int) -> None:
    node = HAND.node(name)
    assert isinstance(node, Lif) and weight_rows(HAND, node) == rows
