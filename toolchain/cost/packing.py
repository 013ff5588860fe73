"""How a Graph's arrays are packed in a microcontroller's flash: the one place that knows the firmware's layout.

Channels are worked on in blocks of 16, so that a block's spikes are one uint16 and a weight row is 16 weights:
16 bytes, or 8 or 4 where they have 4 or 2 bits. A node's weights are ``[block][row][16]``, where a row belongs to one
(edge, kernel position, input channel). ``exporters.c`` writes exactly these arrays, in this order, and
``verification`` proves the sizes from the linked image's symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

from toolchain.cost.amounts import Amount, Map, ceiling, indicator
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, OrPool, PixelConv, Pool, Shape, Skip, SpikeConv

BLOCK = 16
"""Channels of a block: one uint16 of spikes, one row of weights."""

ALIGNMENT = 4
"""Bytes at whose multiples every array and buffer begins."""

# sizeof of the descriptor structs in exporters/c/runtime/snn.h on a 32-bit core, asserted at compile time.
PIXEL_NODE_BYTES = 44
SPIKE_NODE_BYTES = 48
SHIFT_POINTER_BYTES = 4  # what the structs for packed weights have more
EDGE_BYTES = 16
OR_POOL_BYTES = 20
HEAD_BYTES = 36
INFO_BYTES = 60

Kind = Literal["weights", "shift", "bias", "threshold", "exponent", "rounding", "descriptor", "known_answer"]

_KINDS: dict[str, Kind] = {
    "weights": "weights",
    "shift": "shift",
    "bias": "bias",
    "threshold": "threshold",
    "exponent": "exponent",
    "rounding": "rounding",
    "known_image": "known_answer",
    "known_scores": "known_answer",
}
"""Kind of each array; all others are descriptors."""


@dataclass(frozen=True)
class Constant:
    """One read-only array in flash: the C symbol's name without the network's prefix, and its bytes."""

    symbol: str
    kind: Kind
    size_bytes: int


@overload
def aligned(size_bytes: int) -> int: ...
@overload
def aligned(size_bytes: Amount) -> Amount: ...
def aligned(size_bytes: Amount) -> Amount:
    """Round up to the alignment of arrays and buffers."""
    return ceiling(size_bytes, ALIGNMENT) * ALIGNMENT


@overload
def blocks(channels: int) -> int: ...
@overload
def blocks(channels: Amount) -> Amount: ...
def blocks(channels: Amount) -> Amount:
    """Number of 16-channel blocks that hold ``channels``."""
    return ceiling(channels, BLOCK)


@overload
def even(taps: int) -> int: ...
@overload
def even(taps: Amount) -> Amount: ...
def even(taps: Amount) -> Amount:
    """Taps of a convolution of pixels, which are taken in twos."""
    return ceiling(taps, 2) * 2


@overload
def plane_bytes(shape: Shape, time_steps: int) -> int: ...
@overload
def plane_bytes(shape: Map, time_steps: Amount) -> Amount: ...
def plane_bytes(shape: Shape | Map, time_steps: Amount) -> Amount:
    """Bytes of a map's spikes for all time steps: uint16 [H][T][W][blocks]."""
    return shape.height * time_steps * shape.width * blocks(shape.channels) * 2


def weight_rows(graph: Graph, node: Lif) -> int:
    """Weight rows of each block of ``node``: kernel positions times input channels, over its convolutions."""
    return sum(
        edge.kernel**2 * graph.source_shape(edge.source).channels
        for edge in node.edges
        if isinstance(edge, (PixelConv, SpikeConv))
    )


def pixel_arrays(channels: Amount, rows: Amount) -> dict[str, Amount]:
    """Bytes of each array of a node that reads pixels, in the order in which they are written."""
    padded = blocks(channels) * BLOCK
    return {
        "weights": padded * even(rows),
        "bias": padded * 2,
        "threshold": padded * 2,
        "rounding": padded,
        "node": PIXEL_NODE_BYTES,
    }


def spike_arrays(
    channels: Amount, rows: Amount, currents: Amount, edges: Amount, bits: Amount = 8
) -> dict[str, Amount]:
    """The same for a node that reads spikes; ``currents``: through a skip or a pool too. 0: not written.

    ``bits`` of a weight; they are 8 where there is none.
    """
    padded, narrow = blocks(channels) * BLOCK, indicator(bits < 8)
    return {
        "weights": padded * rows * bits // 8,
        "bias": padded * 2,
        "threshold": padded * 2,
        "shift": padded * narrow,
        "exponent": padded * currents,
        "edges": EDGE_BYTES * edges,
        "node": SPIKE_NODE_BYTES + SHIFT_POINTER_BYTES * narrow,
    }


def head_arrays(classes: int, features: Amount, bits: Amount = 8) -> dict[str, Amount]:
    """The same for the head, whose classes begin with a byte of their own."""
    narrow = indicator(bits < 8)
    return {
        "weights": classes * ceiling(features * bits, 8),
        "bias": classes * 4,
        "shift": classes * narrow,
        "node": HEAD_BYTES + SHIFT_POINTER_BYTES * narrow,
    }


def network_arrays(pixels: Amount, classes: int) -> dict[str, Amount]:
    """The same for what belongs to no node: the network's description and a known answer."""
    return {"info": INFO_BYTES, "known_image": pixels, "known_scores": classes * 4}


def constants(graph: Graph) -> tuple[Constant, ...]:
    """Every array that the firmware keeps in flash for ``graph``, in the order in which it is written."""
    found: list[Constant] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            found += _named(node.name, _lif_arrays(graph, node))
        elif isinstance(node, OrPool):
            found += _named(node.name, {"node": OR_POOL_BYTES})
        elif isinstance(node, Head):
            found += _named(node.name, head_arrays(node.classes, graph.head_features(), node.bits))
    return (*found, *_named("", network_arrays(graph.input.size, graph.head.classes)))


def _lif_arrays(graph: Graph, node: Lif) -> dict[str, Amount]:
    rows = weight_rows(graph, node)
    if isinstance(node.edges[0], PixelConv):
        return pixel_arrays(node.shape.channels, rows)
    currents = any(isinstance(edge, (Skip, Pool)) for edge in node.edges)
    return spike_arrays(node.shape.channels, rows, currents, len(node.edges), node.bits)


def _named(node: str, arrays: dict[str, Amount]) -> list[Constant]:
    return [
        Constant(f"{node}_{part}" if node else part, _KINDS.get(part, "descriptor"), int(size))
        for part, size in arrays.items()
        if size
    ]
