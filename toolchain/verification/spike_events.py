"""What the spikes of real images make the firmware's kernels do, counted from the reference's spikes.

``cost.event_lists`` makes the kernels' lists again; ``cost.work.Events`` says what is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.event_lists import STEPS, convolutions, layer_events, lists_of
from toolchain.cost.packing import BLOCK, blocks
from toolchain.cost.work import Events
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, Pool, Skip

Spikes = NDArray[np.uint8]


def spike_events(graph: Graph, spikes: Mapping[str, Spikes], sharing: Collection[str]) -> Events:
    """All events of ``graph`` over all images of ``spikes`` uint8 [T, n, C, H, W], those of a reference's ``Trace``.

    ``sharing``: names of the nodes that share rows of weights between time steps (``cost.kernel_choice``).
    """
    return sum(node_events(graph, spikes, sharing).values(), Events())


def node_events(graph: Graph, spikes: Mapping[str, Spikes], sharing: Collection[str]) -> dict[str, Events]:
    """The same of each node that reads spikes, by name."""
    found = {
        node.name: _layer_events(graph, node, spikes, node.name in sharing)
        for node in graph.all(Lif)
        if node.edges[0].source in spikes
    }
    counted = float(np.count_nonzero(spikes[graph.head.source]))
    return found | {graph.head.name: Events(counted=counted)}


def _layer_events(graph: Graph, node: Lif, spikes: Mapping[str, Spikes], share: bool) -> Events:
    neighbours = float(
        sum(_neighbours(spikes[edge.source], edge) for edge in node.edges if isinstance(edge, (Skip, Pool)))
    )
    if not convolutions(node):
        return Events(neighbours=neighbours)
    found = layer_events(graph, node, spikes)
    lists, wide = found.shared if share else found.apart, blocks(node.shape.channels)
    return Events(
        looked=_looked(graph, node, spikes),
        listed=lists.events,
        walks=lists.lists * wide,
        neighbours=neighbours,
        **{
            f"rows_{node.bits}": lists.rows * wide,
            "walked_8" if node.bits == 8 else "walked_packed": lists.events * wide,
        },
    )


def _looked(graph: Graph, node: Lif, spikes: Mapping[str, Spikes]) -> int:
    """Words in which a neuron fires in either step of a pair."""
    maps = {edge.source: spikes[edge.source].astype(bool) for edge in convolutions(node)}
    return sum(
        lists_of(node, {source: planes[t : t + STEPS].any(axis=0) for source, planes in maps.items()}).events
        for t in range(0, graph.time_steps, STEPS)
    )


def _neighbours(source: Spikes, edge: Skip | Pool) -> int:
    """Words of 16 neurons in which one fires, as often as a position looks at them."""
    padding = -source.shape[2] % BLOCK
    padded = np.pad(source, ((0, 0), (0, 0), (0, padding), (0, 0), (0, 0)))
    steps, images, channels, height, width = padded.shape
    fired = padded.reshape(steps * images, channels // BLOCK, BLOCK, height, width).any(axis=2)
    if isinstance(edge, Skip):
        return int(np.count_nonzero(fired))
    seen = fired.sum(axis=(0, 1), dtype=np.int64)
    return int(_neighbourhoods(height) @ seen @ _neighbourhoods(width))


def _neighbourhoods(side: int) -> NDArray[np.int64]:
    """How many windows of three see each position of a side."""
    found = np.full(side, 3, np.int64)
    found[0] -= 1
    found[-1] -= 1
    return found
