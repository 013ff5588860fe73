"""Geometry of the other drawings of a page: memory bars, cells and meters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.reporting.document import CellEdge, Region

BAR_WIDTH = 640
ENLARGED_UNDER = 0.5
"""Where less of a region is in use, what is in use is drawn a second time, enlarged."""

CONTENT = ("code", "weights", "tables", "known_answer", "arena", "mailbox", "stack", "copies")
"""Kinds of segments that the image takes."""

NODE_RADIUS = 16
NODES = ((40, 100), (230, 30), (230, 170), (420, 100))
"""Where a cell's nodes lie: such that its six edges cross once."""

_LABELS = {
    (0, 1): (124, 52),
    (0, 2): (124, 160),
    (0, 3): (126, 95),
    (1, 2): (274, 78),
    (1, 3): (336, 52),
    (2, 3): (336, 160),
}

OPERATIONS = {
    "skip": "skip",
    "conv1x1": "conv 1x1",
    "conv3x3": "conv 3x3",
    "avgpool3x3": "avg pool 3x3",
}
"""What an operation is called beside its edge."""


@dataclass(frozen=True)
class Piece:
    """A part of a bar."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A region drawn to scale, what is in use of it enlarged, and from where to where that lies in the first."""

    pieces: tuple[Piece, ...]
    enlarged: tuple[Piece, ...]
    used: tuple[float, float]


@dataclass(frozen=True)
class Arrow:
    """An edge of a cell: its line, its head's corners, and its label with the place of its middle."""

    operation: str
    label: str
    line: tuple[float, float, float, float]
    head: str
    at: tuple[int, int]


def bar(region: Region) -> Bar:
    """``region`` as a bar of ``BAR_WIDTH``."""
    pieces = _pieces([(segment.kind, segment.size_bytes) for segment in region.segments])
    content = [(segment.kind, segment.size_bytes) for segment in region.segments if segment.kind in CONTENT]
    inner = [piece for piece in pieces if piece.kind in CONTENT]
    small = 0 < sum(size for _, size in content) < ENLARGED_UNDER * region.size_bytes
    used = (inner[0].x, inner[-1].x + inner[-1].width) if inner else (0.0, 0.0)
    return Bar(pieces, _pieces(content) if small and len(content) > 1 else (), used)


def arrows(edges: Sequence[CellEdge]) -> list[Arrow]:
    """The edges of a cell between ``NODES``."""
    return [_arrow(edge) for edge in edges]


def _pieces(sizes: Sequence[tuple[str, int]]) -> tuple[Piece, ...]:
    whole, at, found = sum(size for _, size in sizes) or 1, 0, []
    for kind, size in sizes:
        found.append(Piece(kind, round(at / whole * BAR_WIDTH, 2), round(size / whole * BAR_WIDTH, 2)))
        at += size
    return tuple(found)


def _arrow(edge: CellEdge) -> Arrow:
    (x1, y1), (x2, y2) = NODES[edge.source], NODES[edge.target]
    length = math.hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    tip = (x2 - dx * (NODE_RADIUS + 2), y2 - dy * (NODE_RADIUS + 2))
    back = (tip[0] - 10 * dx, tip[1] - 10 * dy)
    corners = (tip, (back[0] - 5 * dy, back[1] + 5 * dx), (back[0] + 5 * dy, back[1] - 5 * dx))
    return Arrow(
        operation=edge.operation,
        label=OPERATIONS[edge.operation],
        line=(
            round(x1 + dx * NODE_RADIUS, 1),
            round(y1 + dy * NODE_RADIUS, 1),
            round(back[0], 1),
            round(back[1], 1),
        ),
        head=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners),
        at=_LABELS[edge.source, edge.target],
    )
