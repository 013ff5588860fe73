"""Demands of the blocks of many networks at once, each block by the formulas of ``cost.demand``.

A cell's nodes have few numbers that differ from cell to cell at one width: what their edges convolve and pool,
which maps they read, and which are alive. Tables of these, for every cell, turn an array of cells into arrays
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
from toolchain.cost.amounts import Amount, Map, choose, larger
from toolchain.cost.demand import (
    EVERY_FILE,
    FIELDS,
    Demand,
    Files,
    map_bytes,
    or_pool_node,
    pixel_node,
    spike_node,
    total,
)
from toolchain.cost.neurons import Dynamics, FanIn, Neurons, convolutions, padded
from toolchain.graph.nodes import Shape, conv_output

Indices = NDArray[np.int64]


class Reached(NamedTuple):
    """What the next block reads: a map, and the length of its name."""

    shape: Map
    name: Amount


class _Node(NamedTuple):
    """One node of every cell, arrays over cells: ``outside`` counts the edges from the cell's input."""

    present: Indices
    edges: Indices
    outside: Indices
    pools: Indices
    narrow: Indices
    wide: Indices
    alive_maps: Indices


@lru_cache(maxsize=1)
def cell_order() -> tuple[Cell, ...]:
    """Every cell, in the order of the indices by which cells are named here: ``distinct_cells`` come first."""
    distinct = distinct_cells()
    return (*distinct, *sorted(set(canonical_cells()) - set(distinct)))


def stem(
    pixels: Map,
    frames: int,
    channels: Amount,
    stride: Amount,
    dynamics: Dynamics,
    files: Files = EVERY_FILE,
) -> tuple[Reached, Demand]:
    """The map behind a stem, and the stem's demand; ``pixels`` are those of a frame."""
    shape, name = _convolved(pixels, channels, STEM_KERNEL, stride), len("stem")
    read = Reached(pixels, len("pixels"))
    demand = pixel_node(
        Neurons(name, shape, dynamics),
        _one_convolution(read, shape, STEM_KERNEL, stride)._replace(frames=frames),
        map_bytes(shape, dynamics.time_steps),
        files,
    )
    return Reached(shape, name), demand


def shrink(
    read: Reached,
    form: ShrinkForm,
    channels: Amount,
    number: Amount,
    dynamics: Dynamics,
    bits: Amount = 8,
    files: Files = EVERY_FILE,
) -> tuple[Reached, Demand]:
    """The map behind a shrink, and the shrink's demand; ``number``: the digits of its number; ``bits`` of a weight."""
    demands, steps, stride = [], dynamics.time_steps, 2
    if form == "pool":
        source = read.shape
        pooled = Reached(Map(source.channels, source.height // 2, source.width // 2), len("pool") + number)
        alive = map_bytes(source, steps) + map_bytes(pooled.shape, steps)
        demands.append(or_pool_node(pooled.name, pooled.shape, read.name, source, steps, alive, files))
        read, stride = pooled, 1
    shape, name = _convolved(read.shape, channels, SHRINK_KERNEL, stride), len("shrink") + number
    alive = map_bytes(read.shape, steps) + map_bytes(shape, steps)
    fan_in = _one_convolution(read, shape, SHRINK_KERNEL, stride)._replace(bits=bits)
    demands.append(spike_node(Neurons(name, shape, dynamics), fan_in, alive, files))
    return Reached(shape, name), total(demands)


def cells(
    read: Reached,
    indices: Indices,
    number: Amount,
    dynamics: Dynamics,
    bits: Amount = 8,
    files: Files = EVERY_FILE,
) -> tuple[Reached, Demand]:
    """The maps behind the cells with these ``indices`` into ``cell_order``, and the cells' demands.

    ``bits`` of a weight, in the nodes that have weights.
    """
    shape, name = read.shape, len("cell_node3") + number
    plane, neurons = map_bytes(shape, dynamics.time_steps), Neurons(name, shape, dynamics)
    longest = larger(name, read.name)
    demands = []
    for table in _nodes():
        node = _Node(*(column[indices] for column in table))
        narrow = convolutions(node.narrow, 1, shape, shape)
        wide = convolutions(node.wide, 3, shape, shape)
        names = node.outside * read.name + (node.edges - node.outside) * name
        # Each edge reads another map of the cell, all of which have the same shape.
        elements, stored = node.edges * shape.size, choose(node.narrow + node.wide > 0, bits, 8)
        fan_in = FanIn(node.edges, node.pools, (narrow, wide), elements, names, longest, bits=stored)
        demand = spike_node(neurons, fan_in, node.alive_maps * plane, files)
        demands.append(Demand(*(_where(node.present, getattr(demand, name)) for name in FIELDS)))
    return Reached(shape, name), total(demands)


def _where(present: Indices, amount: Amount) -> Amount:
    return amount * present if isinstance(amount, np.ndarray) or amount else 0


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
        pools, narrow, wide = (
            (into == operation).sum(0)
            for operation in (Operation.AVGPOOL3X3, Operation.CONV1X1, Operation.CONV3X3)
        )
        outside = (edge[0, node] > 0).astype(np.int64)
        nodes.append(_Node(has[node], (into > 0).sum(0), outside, pools, narrow, wide, 2 + beside[node]))
    return tuple(nodes)


def _one_convolution(read: Reached, shape: Map, kernel: int, stride: Amount) -> FanIn:
    source, name = read
    one = (convolutions(1, kernel, source, shape, stride),)
    return FanIn(1, 0, one, source.size, name, name, padded(source, shape))


def _convolved(source: Map, channels: Amount, kernel: int, stride: Amount) -> Map:
    # The Graph's own rule for sides, which holds for arrays as for numbers.
    return Map(channels, *conv_output(cast(Shape, source), kernel, cast(int, stride)))
