"""What each node of a network demands, in numbers that add up or of which the largest counts.

A footprint is a function of these sums alone, so networks that share parts can be judged by adding the parts.
The formulas stand here once: ``graph_demand`` evaluates them node by node, ``cost.blocks`` for many networks
at once. The largest numbers, of 64 cells of 4096 channels on maps of 4096x4096, stay below 2**63.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from typing import NamedTuple

from toolchain.cost.amounts import Amount, Map, larger
from toolchain.cost.kernels import event_list_bytes
from toolchain.cost.packing import (
    OR_POOL_BYTES,
    aligned,
    blocks,
    head_arrays,
    network_arrays,
    pixel_arrays,
    plane_bytes,
    spike_arrays,
)


@dataclass(frozen=True)
class Demand:
    """Demands of a part of a network. All add up but ``LARGEST``, of which the largest part's counts.

    ``constants_bytes``: arrays in flash; ``lif_nodes``, of which ``spike_nodes`` read spikes; ``edges`` into
    them, and the ``pooled_channels`` of those that pool; ``channels`` of all neurons' maps; ``potentials``:
    neurons; ``connections`` and ``updates``: work of the firmware, per 16 channels
    (``cost.microcontroller``); ``operations``: dense synaptic operations; ``input_bytes`` and
    ``scores_bytes``: what passes through the mailbox. ``arena_bytes``: bytes alive while a node runs;
    ``working``: elements of a node's inputs, current and output.
    """

    constants_bytes: Amount = 0
    lif_nodes: Amount = 0
    spike_nodes: Amount = 0
    or_pools: Amount = 0
    edges: Amount = 0
    pooled_channels: Amount = 0
    channels: Amount = 0
    weights: Amount = 0
    potentials: Amount = 0
    connections: Amount = 0
    updates: Amount = 0
    operations: Amount = 0
    input_bytes: Amount = 0
    scores_bytes: Amount = 0
    arena_bytes: Amount = 0
    working: Amount = 0
    time_steps: Amount = 0


FIELDS = tuple(field.name for field in fields(Demand))
LARGEST = frozenset({"arena_bytes", "working", "time_steps"})


class FanIn(NamedTuple):
    """Sums over the edges that bring spikes to a node.

    ``taps``: weights for one output channel; ``words``: 16-channel groups that its convolutions look at;
    ``elements``: those of the maps that it reads; ``currents``: whether a skip or a pool is among the edges.
    """

    edges: Amount
    pools: Amount
    currents: Amount
    taps: Amount
    words: Amount
    elements: Amount


def total(parts: Iterable[Demand]) -> Demand:
    """The demand of a network of these parts."""
    return reduce(_plus, parts)


def pixel_node(source: Map, shape: Map, kernel: int, time_steps: Amount, alive_bytes: Amount = 0) -> Demand:
    """A node that convolves pixels; ``alive_bytes`` are those of all maps that are alive while it runs."""
    taps = kernel**2 * source.channels
    return Demand(
        constants_bytes=sum(map(aligned, pixel_arrays(shape.channels, taps).values())),
        lif_nodes=1,
        edges=1,
        channels=shape.channels,
        weights=taps * shape.channels,
        potentials=shape.size,
        updates=_updates(shape, time_steps),
        operations=taps * shape.size,
        arena_bytes=alive_bytes,
        working=source.size + 2 * shape.size,
        time_steps=time_steps,
    )


def spike_node(shape: Map, fan_in: FanIn, time_steps: Amount, alive_bytes: Amount = 0) -> Demand:
    """A node that sums the currents of spikes; ``alive_bytes`` as for ``pixel_node``."""
    arrays = spike_arrays(shape.channels, fan_in.taps, fan_in.currents, fan_in.edges)
    updates = _updates(shape, time_steps)
    return Demand(
        constants_bytes=sum(map(aligned, arrays.values())),
        lif_nodes=1,
        spike_nodes=1,
        edges=fan_in.edges,
        pooled_channels=fan_in.pools * shape.channels,
        channels=shape.channels,
        weights=fan_in.taps * shape.channels,
        potentials=shape.size,
        connections=updates * fan_in.taps,
        updates=updates,
        operations=fan_in.taps * shape.size * time_steps,
        arena_bytes=alive_bytes + aligned(event_list_bytes(time_steps, fan_in.words)),
        working=fan_in.elements + 2 * shape.size,
        time_steps=time_steps,
    )


def or_pool_node(source: Map, shape: Map, alive_bytes: Amount = 0) -> Demand:
    """A node that pools spikes by two."""
    return Demand(
        constants_bytes=aligned(OR_POOL_BYTES),
        or_pools=1,
        arena_bytes=alive_bytes,
        working=source.size + 2 * shape.size,
    )


def head_node(features: Amount, classes: int, alive_bytes: Amount = 0) -> Demand:
    """The read-out of ``features`` spike counts; ``alive_bytes`` of the map that it reads."""
    return Demand(
        constants_bytes=sum(map(aligned, head_arrays(classes, features).values())),
        weights=classes * features,
        operations=classes * features,
        scores_bytes=4 * classes,
        arena_bytes=alive_bytes + aligned(counts_bytes(features)),
    )


def whole_network(pixels: Map, classes: int) -> Demand:
    """What a network demands beside its nodes: the description, the known answer and the input."""
    return Demand(
        constants_bytes=sum(map(aligned, network_arrays(pixels.size, classes).values())),
        input_bytes=pixels.size,
    )


def map_bytes(shape: Map, time_steps: Amount) -> Amount:
    """Bytes of the arena that a map's spikes take, all time steps together."""
    return aligned(plane_bytes(shape, time_steps))


def counts_bytes(features: Amount) -> Amount:
    """The head's spike counts, uint16."""
    return features * 2


def _updates(shape: Map, time_steps: Amount) -> Amount:
    return shape.height * shape.width * blocks(shape.channels) * time_steps


def _plus(one: Demand, other: Demand) -> Demand:
    return Demand(
        *(
            larger(getattr(one, name), getattr(other, name))
            if name in LARGEST
            else getattr(one, name) + getattr(other, name)
            for name in FIELDS
        )
    )
