from __future__ import annotations

import pytest

from toolchain.architecture.cells import EDGES
from toolchain.reporting.document import CellEdge, Region, Segment
from toolchain.reporting.drawings import BAR_WIDTH, NODES, arrows, bar


def region(**sizes: int) -> Region:
    segments = [Segment(kind=kind, size_bytes=size, evidence=None) for kind, size in sizes.items()]  # type: ignore[arg-type]
    whole = sum(sizes.values())
    return Region(
        name="sram",
        kind="sram",
        origin=0,
        size_bytes=whole,
        available_bytes=whole,
        used_bytes=0,
        over_bytes=0,
        segments=segments,
    )


def test_a_bar_is_to_scale() -> None:
    drawn = bar(region(reserved=100, stack=200, arena=300, free=400))
    assert [(piece.kind, piece.x, piece.width) for piece in drawn.pieces] == [
        ("reserved", 0, 64),
        ("stack", 64, 128),
        ("arena", 192, 192),
        ("free", 384, 256),
    ]
    assert drawn.enlarged == ()  # half of it is in use: that is seen


def test_what_is_small_is_enlarged() -> None:
    drawn = bar(region(reserved=500, stack=10, arena=30, free=460))
    assert [(piece.kind, piece.x, piece.width) for piece in drawn.enlarged] == [
        ("stack", 0, BAR_WIDTH / 4),
        ("arena", BAR_WIDTH / 4, 3 * BAR_WIDTH / 4),
    ]
    assert drawn.used == (320, pytest.approx(345.6))
    assert bar(region(free=100)).enlarged == ()


def test_arrows_end_at_the_edge_of_their_node() -> None:
    edges = [CellEdge(source=source, target=target, operation="skip") for source, target in EDGES]
    drawn = arrows(edges)
    assert len({arrow.at for arrow in drawn}) == len(EDGES)  # no label lies on another
    for (source, target), arrow in zip(EDGES, drawn, strict=True):
        x1, y1, x2, y2 = arrow.line
        for (x, y), node, within in (((x1, y1), NODES[source], 17), ((x2, y2), NODES[target], 29)):
            assert ((x - node[0]) ** 2 + (y - node[1]) ** 2) ** 0.5 == pytest.approx(within, abs=1.5)
    assert [arrow.label for arrow in drawn] == ["skip"] * 6
