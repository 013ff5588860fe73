"""Many architectures as arrays, and their demands: 64-bit sums, a column for each architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.architecture import Architecture, Block, Shrink, ShrinkForm
from toolchain.cost import blocks
from toolchain.cost.amounts import Map
from toolchain.cost.blocks import Indices, cell_order
from toolchain.cost.demand import FIELDS, LARGEST, Demand, head_node, map_bytes, whole_network

NONE = -1
STRIDE, POOL = 1 << 16, 1 << 17
"""A block is written as an index into ``cell_order``, or as one of these and a shrink's channels, or as ``NONE``."""

SHRINKS: tuple[tuple[ShrinkForm, int], ...] = (("stride", STRIDE), ("pool", POOL))

MOST_COUNTED = 0xFFFF
"""Most spikes that the head's uint16 holds (``graph.checks.no_saturation``)."""


@dataclass(frozen=True)
class Batch:
    """Architectures as arrays [n]; ``blocks`` [n, most blocks] in the order of the path, ``NONE`` behind the last."""

    time_steps: Indices
    stem_channels: Indices
    stem_stride: Indices
    flatten: NDArray[np.bool_]
    blocks: Indices

    def __len__(self) -> int:
        return len(self.time_steps)

    def take(self, rows: Indices | slice) -> Batch:
        """These rows of the batch."""
        return Batch(
            self.time_steps[rows],
            self.stem_channels[rows],
            self.stem_stride[rows],
            self.flatten[rows],
            self.blocks[rows],
        )

    def with_cells(self, cells: Indices) -> Batch:
        """The same sizes with other cells: row by row the first of ``cells`` [n, most positions] that it needs.

        Raises ``ValueError`` if there are too few, or one is no index into ``cell_order``.
        """
        if cells.size and not 0 <= cells.min() <= cells.max() < len(cell_order()):
            raise ValueError(f"indices of cells are 0 to {len(cell_order()) - 1}")
        places = (self.blocks >= 0) & (self.blocks < STRIDE)
        changed = self.blocks.copy()
        changed[places] = cells[np.arange(cells.shape[1]) < places.sum(axis=1)[:, None]]
        return replace(self, blocks=changed)


def encode(architectures: Sequence[Architecture]) -> Batch:
    """Architectures as a batch; the leak and the reset cost nothing and are left out."""
    count = len(architectures)
    lengths = np.fromiter((len(one.blocks) for one in architectures), np.int64, count)
    coded = np.full((count, int(lengths.max(initial=0))), NONE, np.int64)
    known = _codes()
    coded[np.arange(coded.shape[1]) < lengths[:, None]] = np.fromiter(
        (_code(block, known) for one in architectures for block in one.blocks), np.int64, int(lengths.sum())
    )
    return Batch(
        np.fromiter((one.time_steps for one in architectures), np.int64, count),
        np.fromiter((one.stem_channels for one in architectures), np.int64, count),
        np.fromiter((one.stem_stride for one in architectures), np.int64, count),
        np.fromiter((one.head == "flatten" for one in architectures), np.bool_, count),
        coded,
    )


def demands(batch: Batch, pixels: Map, classes: int) -> tuple[Demand, NDArray[np.bool_]]:
    """The demand of each architecture for such an input, and whether its maps are neither too small nor too large."""
    sums, steps = _Sums(len(batch)), batch.time_steps
    everywhere = slice(None)
    sums.add(everywhere, whole_network(pixels, classes))
    shape, demand = blocks.stem(pixels, batch.stem_channels, batch.stem_stride, steps)
    sums.add(everywhere, demand)
    sides = np.stack([np.broadcast_to(extent, len(batch)) for extent in shape])
    for column in batch.blocks.T:
        here = np.flatnonzero((column >= 0) & (column < STRIDE))
        if len(here):
            sums.add(here, blocks.cells(Map(*sides[:, here]), column[here], steps[here]))
        for form, code in SHRINKS:
            here = np.flatnonzero((column & code) * (column > 0))
            if len(here):
                channels = column[here] - code
                shape, demand = blocks.shrink(Map(*sides[:, here]), form, channels, steps[here])
                sides[:, here] = shape
                sums.add(here, demand)
    last = Map(*sides)
    features = np.where(batch.flatten, last.size, last.channels)
    sums.add(everywhere, head_node(features, classes, map_bytes(last, steps)))
    counted = np.where(batch.flatten, 1, last.height * last.width) * steps
    # A side that has become 0 stays 0, so the last map tells of all.
    return sums.demand(), (sides.min(axis=0) >= 1) & (counted <= MOST_COUNTED)


class _Sums:
    """Demands added up for each architecture: int64 [field, n]."""

    def __init__(self, count: int) -> None:
        self.rows = np.zeros((len(FIELDS), count), np.int64)

    def add(self, where: Indices | slice, demand: Demand) -> None:
        for row, name in zip(self.rows, FIELDS, strict=True):
            value = getattr(demand, name)
            if isinstance(value, int) and value == 0:
                continue
            if name in LARGEST:
                row[where] = np.maximum(row[where], value)
            else:
                row[where] += value

    def demand(self) -> Demand:
        return Demand(*self.rows)


@lru_cache(maxsize=1)
def _codes() -> dict[bytes, int]:
    # Six bytes hash many times faster than six members of an enumeration.
    return {bytes(cell.operations): index for index, cell in enumerate(cell_order())}


def _code(block: Block, known: dict[bytes, int]) -> int:
    if isinstance(block, Shrink):
        return (POOL if block.form == "pool" else STRIDE) + block.channels
    return known[bytes(block.operations)]
