"""Scratch memory of the firmware kernels: planned for the largest that a node may get.

Which kernel runs a node may be decided late (by core and spike density), so the plan takes the worst of
those permitted; nothing decided later then changes the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

from toolchain.cost.amounts import Amount, ceiling, choose, indicator
from toolchain.cost.packing import BLOCK, blocks, even, weight_rows
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv

EVENT_BYTES = 8
"""One event: a word of spikes of up to 32 rows of weights, and the index of the last of these rows."""

LISTS = 3
"""Lists of events of two time steps: of neurons that fired in both, and of the others for each."""

POTENTIAL_BYTES = 2
"""A membrane potential, int16."""

TAP_BYTES = 2
"""A pixel of a window, uint16."""

MAX_WEIGHT_ROWS = 1 << 16
"""Rows of a block that the kernels tell apart."""


def dense_pixels(graph: Graph, node: Lif) -> int:
    """The pixels around one output position, and the potentials of all channels there."""
    return dense_pixels_bytes(weight_rows(graph, node), node.shape.channels)


@overload
def dense_pixels_bytes(taps: int, channels: int) -> int: ...
@overload
def dense_pixels_bytes(taps: Amount, channels: Amount) -> Amount: ...
def dense_pixels_bytes(taps: Amount, channels: Amount) -> Amount:
    """Bytes of a window of ``taps`` pixels and of the potentials of ``channels``."""
    return even(taps) * TAP_BYTES + potential_bytes(channels)


def event_lists(graph: Graph, node: Lif) -> int:
    """Potentials of all channels at one output position, and the lists of events around it."""
    return potential_bytes(node.shape.channels) + LISTS * list_bytes(graph, node)


def list_bytes(graph: Graph, node: Lif) -> int:
    """Bytes of one list of events of ``node``; 0 if it has no convolutions."""
    words = sum(
        event_words(edge.kernel, graph.source_shape(edge.source).channels)
        for edge in node.edges
        if isinstance(edge, SpikeConv)
    )
    return event_list_bytes(words)


@overload
def potential_bytes(channels: int) -> int: ...
@overload
def potential_bytes(channels: Amount) -> Amount: ...
def potential_bytes(channels: Amount) -> Amount:
    """Bytes of the potentials of ``channels``, filled up to whole blocks."""
    return blocks(channels) * BLOCK * POTENTIAL_BYTES


@overload
def event_words(kernel: int, channels: int) -> int: ...
@overload
def event_words(kernel: int, channels: Amount) -> Amount: ...
def event_words(kernel: int, channels: Amount) -> Amount:
    """Words of spikes in the window of a convolution.

    They are of two blocks; where the last block is a broken one, each position begins a word of its own.
    """
    whole = kernel * ceiling(kernel * blocks(channels), 2)
    broken = kernel * kernel * ceiling(blocks(channels), 2)
    return choose(channels % BLOCK == 0, whole, broken)


@overload
def event_list_bytes(words: int) -> int: ...
@overload
def event_list_bytes(words: Amount) -> Amount: ...
def event_list_bytes(words: Amount) -> Amount:
    """Bytes of a list of ``words`` events and what ends it; none is kept where there can be no event."""
    return (words + indicator(words > 0)) * EVENT_BYTES


def step_scratch_bytes(graph: Graph, node: Lif) -> int:
    """Scratch of ``node`` for one time step of a stream: the pixels of a window, or one list of events.

    Its potentials are kept (``kept_bytes``), and neurons of two time steps are never told apart.
    """
    if isinstance(node.edges[0], PixelConv):
        return even(weight_rows(graph, node)) * TAP_BYTES
    return list_bytes(graph, node)


def kept_bytes(node: Lif) -> int:
    """Potentials that a stream keeps for all positions of ``node`` from one time step to the next."""
    return node.shape.height * node.shape.width * potential_bytes(node.shape.channels)


ScratchRule = Callable[[Graph, Lif], int]


def permitted(node: Lif) -> dict[str, ScratchRule]:
    """The kernels that may run ``node``, each with its scratch rule in bytes."""
    if isinstance(node.edges[0], PixelConv):
        return {"dense_pixels": dense_pixels}
    return {"event_lists": event_lists}


def scratch_bytes(graph: Graph, node: Lif) -> int:
    """Scratch of ``node`` under the largest kernel permitted."""
    return max(rule(graph, node) for rule in permitted(node).values())
