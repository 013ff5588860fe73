"""Demands of the blocks of many networks at once, each block by the formulas of ``cost.demand``.

A cell's nodes have at most three numbers that differ from cell to cell at one width: what its edges convolve,
what they pool, and which maps are alive. Tables of these, for every cell, turn an array of cells into arrays
of demands.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.architecture import SHRINK_KERNEL, STEM_KERNEL, ShrinkForm
from toolchain.architecture.cells import (
    EDGES,
    OUTPUT,
    Cell,
    Operation,
    canonical_cells,
    distinct_cells,
)
from toolchain.cost.amounts import Amount, Map
from toolchain.cost.demand import (
    FIELDS,
    Demand,
    FanIn,
    map_bytes,
    or_pool_node,
    pixel_node,
    spike_node,
    total,
)
from toolchain.cost.packing import blocks
from toolchain.graph.nodes import Shape, conv_output

Indices = NDArray[np.int64]


class _Node(NamedTuple):
    """One node of every cell, arrays over cells: ``area`` sums the convolutions' kernel positions."""

    present: Indices
    edges: Indices
    pools: Indices
    currents: Indices
    area: Indices
    alive_maps: Indices


@lru_cache(maxsize=1)
def cell_order() -> tuple[Cell, ...]:
    """Every cell, in the order of the indices by which cells are named here: ``distinct_cells`` come first."""
    distinct = distinct_cells()
    return (*distinct, *sorted(set(canonical_cells()) - set(distinct)))


def stem(pixels: Map, channels: Amount, stride: Amount, time_steps: Amount) -> tuple[Map, Demand]:
    """The map behind a stem, and the stem's demand."""
    shape = _convolved(pixels, channels, STEM_KERNEL, stride)
    alive = map_bytes(shape, time_steps)
    return shape, pixel_node(pixels, shape, STEM_KERNEL, time_steps, alive)


def shrink(source: Map, form: ShrinkForm, channels: Amount, time_steps: Amount) -> tuple[Map, Demand]:
    """The map behind a shrink, and the shrink's demand."""
    demands, stride = [], 2
    if form == "pool":
        pooled = Map(source.channels, source.height // 2, source.width // 2)
        alive = map_bytes(source, time_steps) + map_bytes(pooled, time_steps)
        demands.append(or_pool_node(source, pooled, alive))
        source, stride = pooled, 1
    shape = _convolved(source, channels, SHRINK_KERNEL, stride)
    alive = map_bytes(source, time_steps) + map_bytes(shape, time_steps)
    area = SHRINK_KERNEL**2
    fan_in = FanIn(1, 0, False, area * source.channels, area * blocks(source.channels), source.size)
    demands.append(spike_node(shape, fan_in, time_steps, alive))
    return shape, total(demands)


def cells(shape: Map, indices: Indices, time_steps: Amount) -> Demand:
    """Demands of the cells with these ``indices`` into ``cell_order``, on maps of ``shape``."""
    plane, size, words = map_bytes(shape, time_steps), shape.size, blocks(shape.channels)
    demands = []
    for table in _nodes():
        node = _Node(*(column[indices] for column in table))
        # Each edge reads another map of the cell, all of which have the same shape.
        fan_in = FanIn(
            node.edges,
            node.pools,
            node.currents,
            node.area * shape.channels,
            node.area * words,
            node.edges * size,
        )
        demand = spike_node(shape, fan_in, time_steps, node.alive_maps * plane)
        demands.append(Demand(*(getattr(demand, name) * node.present for name in FIELDS)))
    return total(demands)


@lru_cache(maxsize=1)
def _nodes() -> tuple[_Node, ...]:
    operations = np.array([cell.operations for cell in cell_order()], np.int64)
    edge = {ends: operations[:, column] for column, ends in enumerate(EDGES)}
    into_node = {end: np.stack([edge[a, b] for a, b in EDGES if b == end]) for end in (1, 2, OUTPUT)}
    has = {node: into.any(0).astype(np.int64) for node, into in into_node.items()}
    # Beside a node and the cell's input: node 1 while a later node needs it, node 2 until the output is there.
    beside = {1: np.zeros_like(has[1]), 2: has[1], OUTPUT: has[2] + (edge[1, OUTPUT] > 0)}
    nodes = []
    for node, into in into_node.items():
        pools = (into == Operation.AVGPOOL3X3).sum(0)
        area = (into == Operation.CONV1X1).sum(0) + 9 * (into == Operation.CONV3X3).sum(0)
        currents = 1 * ((pools + (into == Operation.SKIP).sum(0)) > 0)
        nodes.append(_Node(has[node], (into > 0).sum(0), pools, currents, area, 2 + beside[node]))
    return tuple(nodes)


def _convolved(source: Map, channels: Amount, kernel: int, stride: Amount) -> Map:
    # The Graph's own rule for sides, which holds for arrays as for numbers.
    return Map(channels, *conv_output(cast(Shape, source), kernel, cast(int, stride)))
