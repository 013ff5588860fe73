"""Many architectures as arrays, and their demands: 64-bit sums, a column for each architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.architecture import Architecture, Block, Shrink, ShrinkForm
from toolchain.cost import blocks
from toolchain.cost.amounts import Amount, Map, choose, indicator
from toolchain.cost.blocks import Indices, Reached, cell_order
from toolchain.cost.demand import (
    EVERY_FILE,
    FIELDS,
    LARGEST,
    Demand,
    Files,
    head_node,
    map_bytes,
    whole_network,
)
from toolchain.cost.neurons import Dynamics, dynamics
from toolchain.graph.nodes import Leak

NONE = -1
STRIDE, POOL = 1 << 16, 1 << 17
"""A block is written as an index into ``cell_order``, or as one of these and a shrink's channels, or as ``NONE``."""

SHRINKS: tuple[tuple[ShrinkForm, int], ...] = (("stride", STRIDE), ("pool", POOL))

MOST_COUNTED = 0xFFFF
"""Most spikes that the head's uint16 holds (``graph.rules.numbers.no_saturation``)."""


@dataclass(frozen=True)
class Batch:
    """Architectures as arrays [n]; ``blocks`` [n, most blocks] in the order of the path, ``NONE`` behind the last.

    ``dynamics`` [fields of ``Dynamics``, n]; ``bits`` of a weight.
    """

    dynamics: Indices
    stem_channels: Indices
    stem_stride: Indices
    flatten: NDArray[np.bool_]
    bits: Indices
    blocks: Indices

    def __len__(self) -> int:
        return len(self.stem_channels)

    def take(self, rows: Indices | slice) -> Batch:
        """These rows of the batch."""
        return Batch(
            self.dynamics[:, rows],
            self.stem_channels[rows],
            self.stem_stride[rows],
            self.flatten[rows],
            self.bits[rows],
            self.blocks[rows],
        )

    def runs(self, rows: Indices | slice) -> Dynamics:
        """How the neurons of these rows run."""
        return Dynamics(*map(_one_if_equal, self.dynamics[:, rows]))

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
    """Architectures as a batch."""
    count = len(architectures)
    lengths = np.fromiter((len(one.blocks) for one in architectures), np.int64, count)
    coded = np.full((count, int(lengths.max(initial=0))), NONE, np.int64)
    known = _codes()
    coded[np.arange(coded.shape[1]) < lengths[:, None]] = np.fromiter(
        (_code(block, known) for one in architectures for block in one.blocks), np.int64, int(lengths.sum())
    )
    return Batch(
        _dynamics(architectures),
        np.fromiter((one.stem_channels for one in architectures), np.int64, count),
        np.fromiter((one.stem_stride for one in architectures), np.int64, count),
        np.fromiter((one.head == "flatten" for one in architectures), np.bool_, count),
        np.fromiter((one.bits for one in architectures), np.int64, count),
        coded,
    )


def demands(
    batch: Batch,
    pixels: Map,
    frames: int,
    classes: int,
    characters: int,
    most_counted: int = MOST_COUNTED,
    files: Files = EVERY_FILE,
) -> tuple[Demand, NDArray[np.bool_]]:
    """The demand of each architecture for such an input, and whether it can be built.

    Maps must be neither too small nor too large, and ``frames`` of ``pixels`` be one, or one for each time step.
    ``characters``: those of what files say about classes and images (``cost.facts.data_characters``);
    ``most_counted``: the most spikes that the head may count; ``files``: those whose bytes are asked for.
    """
    everywhere = slice(None)
    sums, path = _Sums(len(batch)), _Path(len(batch))
    sums.add(everywhere, whole_network(len("pixels"), pixels, frames, classes, characters, files))
    runs = batch.runs(everywhere)
    found = blocks.stem(pixels, frames, batch.stem_channels, batch.stem_stride, runs, files)
    sums.add(everywhere, path.go(everywhere, found))
    for column, cell_digits, shrink_digits in zip(batch.blocks.T, *_digits(batch.blocks), strict=True):
        here = np.flatnonzero((column >= 0) & (column < STRIDE))
        if len(here):
            number = _one_if_equal(cell_digits[here])
            stored = _one_if_equal(batch.bits[here])
            found = blocks.cells(path.at(here), column[here], number, batch.runs(here), stored, files)
            sums.add(here, path.go(here, found))
        for form, code in SHRINKS:
            here = np.flatnonzero((column & code) * (column > 0))
            if len(here):
                number = _one_if_equal(shrink_digits[here])
                stored, channels = _one_if_equal(batch.bits[here]), column[here] - code
                found = blocks.shrink(path.at(here), form, channels, number, batch.runs(here), stored, files)
                sums.add(here, path.go(here, found))
    last, name = path.at(everywhere)
    counts, alive = indicator(~batch.flatten), map_bytes(last, runs.time_steps)
    features = choose(batch.flatten, last.size, last.channels)
    # As architecture.build has it: a head that counts keeps 8 bits.
    stored, steps = _one_if_equal(np.where(batch.flatten, batch.bits, 8)), runs.time_steps
    read = len("head"), name, last, features, classes, counts
    sums.add(everywhere, head_node(*read, steps, alive, stored, files))
    counted = choose(batch.flatten, 1, last.height * last.width) * runs.time_steps
    # A side that has become 0 stays 0, so the last map tells of all.
    buildable = (last.height >= 1) & (last.width >= 1) & (counted <= most_counted)
    buildable = buildable & ((frames == 1) | (runs.time_steps == frames))
    return sums.demand(), np.asarray(buildable)


class _Path:
    """How far each network has come: int64 [channels, height, width and length of the name of its last map, n]."""

    def __init__(self, count: int) -> None:
        self.rows = np.zeros((4, count), np.int64)

    def at(self, where: Indices | slice) -> Reached:
        *shape, name = self.rows[:, where]
        return Reached(Map(*shape), _one_if_equal(name))

    def go(self, where: Indices | slice, found: tuple[Reached, Demand]) -> Demand:
        (shape, name), demand = found
        for row, amount in zip(self.rows, (*shape, name), strict=True):
            row[where] = amount
        return demand


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


def _dynamics(architectures: Sequence[Architecture]) -> Indices:
    """How the neurons of each run, from a table of the few ways that differ."""
    count, kinds = len(architectures), dict[tuple[Leak, str], int]()
    chosen = np.fromiter(
        (kinds.setdefault((one.leak, one.reset), len(kinds)) for one in architectures), np.int64, count
    )
    table = np.array([dynamics(0, *kind) for kind in kinds], np.int64).reshape(-1, len(Dynamics._fields))
    found = table.T[:, chosen]
    found[Dynamics._fields.index("time_steps")] = [one.time_steps for one in architectures]
    return found


def _one_if_equal(numbers: Indices) -> Amount:
    """One number instead of many equal ones, with which all that follows takes less time."""
    equal = len(numbers) and (numbers == numbers[0]).all()
    return int(numbers[0]) if equal else numbers


def _digits(coded: Indices) -> tuple[Indices, Indices]:
    """Digits, for each column [columns, n], of a cell's and of a shrink's number, as ``architecture.build`` counts."""
    cells, shrinks = (coded >= 0) & (coded < STRIDE), coded >= STRIDE
    before = np.cumsum(cells, axis=1, dtype=np.int64) - cells
    until = np.cumsum(shrinks, axis=1, dtype=np.int64)
    return 1 + (before.T >= 10).astype(np.int64), 1 + (until.T >= 10).astype(np.int64)


@lru_cache(maxsize=1)
def _codes() -> dict[bytes, int]:
    # Six bytes hash many times faster than six members of an enumeration.
    return {bytes(cell.operations): index for index, cell in enumerate(cell_order())}


def _code(block: Block, known: dict[bytes, int]) -> int:
    if isinstance(block, Shrink):
        return (POOL if block.form == "pool" else STRIDE) + block.channels
    return known[bytes(block.operations)]
