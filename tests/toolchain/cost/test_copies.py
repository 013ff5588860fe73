from __future__ import annotations

import pytest

from tests.support.architectures import LINES, untrained
from tests.support.boards import with_copies
from tests.support.graphs import random_graph
from toolchain import profiles
from toolchain.cost.code_size import COPYING_BYTES
from toolchain.cost.copies import copies
from toolchain.cost.footprint import footprint
from toolchain.cost.layout import layout
from toolchain.cost.packing import constants
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

BOARD = profiles.load("stm32h743")

HAND = Graph(
    (
        Input("pixels", Shape(1, 8, 8)),
        Lif("stem", Shape(16, 4, 4), (PixelConv("pixels", 3, 2),)),
        Lif("near", Shape(16, 4, 4), (SpikeConv("stem", 3, 1),)),
        Lif("far", Shape(16, 2, 2), (SpikeConv("near", 1, 2),)),
        Head("head", "far", 4),
    ),
    8,
    Preprocessing(8, 8, "grey"),
    tuple("abcd"),
)
"""Bytes of weights and reads of each: near 2304, 4 x 4 x 8 / 4 = 32; stem 160, 16; far 256, 8; head 64, 1."""

SIZES = {"near": 2304, "stem": 160, "far": 256, "head": 64}


def chosen(room: int) -> list[str]:
    found = copies(HAND, with_copies(BOARD, "dtcm", room), constants(HAND), {"dtcm": 1 << 16, "axi_sram": 0})
    return [] if found is None else [symbol.removesuffix("_weights") for symbol in found.symbols]


def test_what_is_read_most_is_copied_first() -> None:
    assert chosen(4096) == ["near", "stem", "far", "head"]
    assert chosen(2304 + 160 + 256) == ["near", "stem", "far"]
    assert chosen(2304 + 160) == ["near", "stem"]
    # What does not fit whole is passed over for what does.
    assert chosen(2304 + 140) == ["near", "head"]
    assert chosen(2300) == ["stem", "far", "head"]
    assert chosen(60) == []


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("room", [4, 2000, 131_072])
def test_copies_take_what_is_left_and_nothing_else_moves(line: str, room: int) -> None:
    graph = untrained(line)
    board = with_copies(BOARD, "dtcm", room)
    plain, plan = layout(graph, BOARD), layout(graph, board)
    assert plain.copies is None
    # The search counts without them, and lets the same candidates through.
    assert footprint(graph, board) == footprint(graph, BOARD)
    if plan.copies is None:
        assert plan == plain
        return
    assert 0 < plan.copies.size_bytes <= room
    assert plan.items[-1].name == "copies" and plan.items[-1].size_bytes == plan.copies.size_bytes
    assert [item.region for item in plan.items[:-1]] == [item.region for item in plain.items]
    assert plan.sram_bytes == plain.sram_bytes + plan.copies.size_bytes
    assert plan.flash_bytes == plain.flash_bytes + COPYING_BYTES
    assert all(
        use.headroom_bytes >= 0 or other.headroom_bytes < 0
        for use, other in zip(plan.regions, plain.regions, strict=True)
    )


def test_an_image_without_a_byte_to_spare_has_no_copies() -> None:
    graph = random_graph(1)
    plain = layout(graph, BOARD)
    for name, kind in (("flash", "flash"), ("dtcm", "sram")):
        used = next(use.used_bytes for use in plain.regions if use.name == name)
        less = COPYING_BYTES - 1 if kind == "flash" else 0
        regions = tuple(
            region.model_copy(update={"size_bytes": used + less} if region.name == name else {})
            for region in with_copies(BOARD, "dtcm", 65_536).regions
        )
        tight = BOARD.model_copy(update={"regions": regions})
        assert layout(graph, tight).copies is None
        assert all(use.headroom_bytes >= 0 for use in layout(graph, tight).regions)
