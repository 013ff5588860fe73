"""How a Graph's arrays are packed in a microcontroller's flash: the one place that knows the firmware's layout.

Channels are worked on in blocks of 16, so that a block's spikes are one uint16 and a weight row is 16
bytes. A node's weights are ``[block][row][16]``, where a row belongs to one (edge, kernel position,
input channel). ``exporters.c`` writes exactly these arrays, in this order, and ``verification`` proves
the sizes from the linked image's symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, OrPool, PixelConv, Pool, Shape, Skip, SpikeConv

BLOCK = 16
"""Channels of a block: one uint16 of spikes, one row of weights."""

ALIGNMENT = 4
"""Bytes at whose multiples every array and buffer begins."""

# sizeof of the descriptor structs in exporters/c/runtime/snn.h on a 32-bit core, asserted at compile time.
PIXEL_NODE_BYTES = 40
SPIKE_NODE_BYTES = 48
EDGE_BYTES = 16
OR_POOL_BYTES = 20
HEAD_BYTES = 32
INFO_BYTES = 60

Kind = Literal["weights", "bias", "threshold", "exponent", "rounding", "descriptor", "known_answer"]


@dataclass(frozen=True)
class Constant:
    """One read-only array in flash: the C symbol's name without the network's prefix, and its bytes."""

    symbol: str
    kind: Kind
    size_bytes: int


def aligned(size_bytes: int) -> int:
    """Round up to the alignment of arrays and buffers."""
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def blocks(channels: int) -> int:
    """Number of 16-channel blocks that hold ``channels``."""
    return -(-channels // BLOCK)


def plane_bytes(shape: Shape, time_steps: int) -> int:
    """Bytes of a map's spikes for all time steps: uint16 [H][T][W][blocks]."""
    return shape.height * time_steps * shape.width * blocks(shape.channels) * 2


def weight_rows(graph: Graph, node: Lif) -> int:
    """Weight rows of each block of ``node``: kernel positions times input channels, over its convolutions."""
    return sum(
        edge.kernel**2 * graph.source_shape(edge.source).channels
        for edge in node.edges
        if isinstance(edge, (PixelConv, SpikeConv))
    )


def constants(graph: Graph) -> tuple[Constant, ...]:
    """Every array that the firmware keeps in flash for ``graph``, in the order in which it is written."""
    found: list[Constant] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            found += _lif_constants(graph, node)
        elif isinstance(node, OrPool):
            found.append(Constant(f"{node.name}_node", "descriptor", OR_POOL_BYTES))
        elif isinstance(node, Head):
            found.append(Constant(f"{node.name}_weights", "weights", node.classes * graph.head_features()))
            found.append(Constant(f"{node.name}_bias", "bias", node.classes * 4))
            found.append(Constant(f"{node.name}_node", "descriptor", HEAD_BYTES))
    found.append(Constant("info", "descriptor", INFO_BYTES))
    found.append(Constant("known_image", "known_answer", graph.input.shape.size))
    found.append(Constant("known_scores", "known_answer", graph.head.classes * 4))
    return tuple(found)


def _lif_constants(graph: Graph, node: Lif) -> list[Constant]:
    padded = blocks(node.shape.channels) * BLOCK
    found = [
        Constant(f"{node.name}_bias", "bias", padded * 2),
        Constant(f"{node.name}_threshold", "threshold", padded * 2),
    ]
    rows = weight_rows(graph, node)
    if rows:
        found.insert(0, Constant(f"{node.name}_weights", "weights", padded * rows))
    if isinstance(node.edges[0], PixelConv):
        found.append(Constant(f"{node.name}_rounding", "rounding", padded))
        found.append(Constant(f"{node.name}_node", "descriptor", PIXEL_NODE_BYTES))
        return found
    if any(isinstance(edge, (Skip, Pool)) for edge in node.edges):
        found.append(Constant(f"{node.name}_exponent", "exponent", padded))
    found.append(Constant(f"{node.name}_edges", "descriptor", EDGE_BYTES * len(node.edges)))
    found.append(Constant(f"{node.name}_node", "descriptor", SPIKE_NODE_BYTES))
    return found
