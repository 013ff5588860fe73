"""Scratch memory of the firmware kernels: planned for the largest that a node may get.

Which kernel runs a node may be decided late (by core and spike density), so the plan takes the worst of
those permitted; nothing decided later then changes the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

from toolchain.cost.amounts import Amount
from toolchain.cost.packing import blocks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv

EVENT_BYTES = 4
"""One event word: 16 spike bits and, in the other 16, the index of the weight row of the first of them."""

MAX_WEIGHT_ROWS = 1 << 16
"""Rows of a block that an event word can name."""


def dense_pixels(graph: Graph, node: Lif) -> int:
    """Dense convolution of pixels: sums stay in registers and on the stack."""
    return 0


def event_list(graph: Graph, node: Lif) -> int:
    """Event list of one output position: a word for each time step, kernel position and 16 input channels."""
    words = sum(
        edge.kernel**2 * blocks(graph.source_shape(edge.source).channels)
        for edge in node.edges
        if isinstance(edge, SpikeConv)
    )
    return event_list_bytes(graph.time_steps, words)


@overload
def event_list_bytes(time_steps: int, words: int) -> int: ...
@overload
def event_list_bytes(time_steps: Amount, words: Amount) -> Amount: ...
def event_list_bytes(time_steps: Amount, words: Amount) -> Amount:
    """Bytes of an event list of ``words`` 16-channel groups a time step."""
    return time_steps * words * EVENT_BYTES


ScratchRule = Callable[[Graph, Lif], int]


def permitted(node: Lif) -> dict[str, ScratchRule]:
    """The kernels that may run ``node``, each with its scratch rule in bytes."""
    if isinstance(node.edges[0], PixelConv):
        return {"dense_pixels": dense_pixels}
    return {"event_list": event_list}


def scratch_bytes(graph: Graph, node: Lif) -> int:
    """Scratch of ``node`` under the largest kernel permitted."""
    return max(rule(graph, node) for rule in permitted(node).values())
