"""Thousands of architectures held against the budget at once, before any forward pass.

The verdict on each is ``Board.judge``'s, to the last bit: both evaluate the same formulas, there on one
network's numbers, here on arrays of them. Of TensorFlow Lite Micro bounds are held here, so that what passes also
passes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell, distinct_cells
from toolchain.cost.amounts import Map
from toolchain.cost.batch import MOST_COUNTED, Batch, demands, encode
from toolchain.cost.blocks import Indices
from toolchain.cost.facts import data_characters
from toolchain.cost.figures import MICRO, figures, files
from toolchain.cost.footprint import broken
from toolchain.errors import InputError
from toolchain.graph.bounds import INT16_MAX
from toolchain.graph.nodes import Leak
from toolchain.search.board import Board

CHUNK = 4096
"""Architectures evaluated together: their arrays stay in the processor's cache."""

FIGURES = (
    "flash_bytes",
    "sram_bytes",
    "artifact_bytes",
    "resident_bytes",
    "latency_ms",
    "energy_mj",
    "operations",
)
"""Fields of ``cost.figures.Figures`` that are one number for each architecture."""

Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Screened:
    """Verdicts on n architectures, as arrays [n]; a figure that does not apply to the board is None.

    ``buildable``: whether there is such a network for this input at all; if not, its figures mean nothing.
    ``over``: which of the buildable ones break a limit, by the names that ``Verdict.dropped_by`` uses.
    ``share``: the largest share that a network takes of any limit, at most 1 if it fits.
    """

    buildable: Truths
    share: NDArray[np.float64]
    over: dict[str, Truths]
    flash_bytes: NDArray[np.int64] | None
    sram_bytes: NDArray[np.int64] | None
    regions: dict[str, NDArray[np.int64]]
    artifact_bytes: NDArray[np.int64] | None
    resident_bytes: NDArray[np.int64] | None
    latency_ms: NDArray[np.float64] | None
    energy_mj: NDArray[np.float64] | None
    operations: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.buildable)

    @property
    def fits(self) -> Truths:
        """Which can be built and keep to every limit."""
        kept = self.buildable.copy()
        for over in self.over.values():
            kept &= ~over
        return kept

    @property
    def dropped(self) -> dict[str, int]:
        """How many each limit drops, for those limits that drop any; one architecture may break several."""
        counts = {limit: int(np.count_nonzero(over)) for limit, over in self.over.items()}
        return {limit: count for limit, count in counts.items() if count}

    @property
    def unbuildable(self) -> int:
        """How many cannot be built."""
        return len(self) - int(np.count_nonzero(self.buildable))


class Screen:
    """Judges many architectures for one board."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._pixels, self._classes = Map(*board.pixels), len(board.labels)
        self._characters = data_characters(board.labels, board.preprocessing, board.shifts)
        try:
            board.graph(Architecture(board.preprocessing.frames, Leak("none"), "zero", 1, 1, (), "flatten"))
            self._takes_any = True
        except InputError:
            # What keeps the smallest of all networks from being built lies in the input, and so keeps all.
            self._takes_any = False

    def judge(self, architectures: Sequence[Architecture]) -> Screened:
        """Verdicts on whole architectures, of any sizes and cells."""
        return self.judge_batch(encode(architectures))

    def judge_drawn(self, sizes: Sequence[Architecture], which: Indices, cells: Indices) -> Screened:
        """Verdicts on ``sizes[which[i]]`` with the cells ``cells[i]`` in its positions.

        ``which`` [n]; ``cells`` [n, most positions] are indices into ``distinct_cells()``, of which an
        architecture with fewer positions takes the first.
        """
        return self.judge_batch(encode(sizes).take(which).with_cells(cells))

    def cells(self, architecture: Architecture, position: int) -> Screened:
        """Verdicts on each of ``distinct_cells()`` at ``position``, the other cells as they are."""
        return self._every_cell(architecture, [position])

    def shared_cells(self, architecture: Architecture) -> Screened:
        """Verdicts on each of ``distinct_cells()`` at every position of ``architecture``."""
        return self._every_cell(architecture, range(len(architecture.cells)))

    def judge_batch(self, batch: Batch) -> Screened:
        """Verdicts on architectures that are arrays already (``toolchain.cost.batch``)."""
        starts = range(0, max(len(batch), 1), CHUNK)
        return _joined([self._chunk(batch.take(slice(start, start + CHUNK))) for start in starts])

    def _every_cell(self, architecture: Architecture, positions: Iterable[int]) -> Screened:
        every = np.arange(len(distinct_cells()))
        batch = encode([architecture]).take(np.zeros(len(every), np.int64))
        columns = [index for index, block in enumerate(architecture.blocks) if isinstance(block, Cell)]
        for position in positions:
            batch.blocks[:, columns[position]] = every
        return self.judge_batch(batch)

    def _chunk(self, batch: Batch) -> Screened:
        micro = MICRO in self.board.limits.targets
        demand, buildable = demands(
            batch,
            self._pixels,
            self.board.preprocessing.frames,
            self._classes,
            self._characters,
            INT16_MAX if micro else MOST_COUNTED,
            files(self.board.profile, self.board.limits.targets),
        )
        buildable &= self._takes_any
        used = figures(demand, self.board.profile, self.board.limits.targets)
        held = list(self.board.held(used))
        over = broken(held)
        count = len(batch)
        shares = [_array(taken / available, count) for _, taken, available in held]
        return Screened(
            buildable=buildable,
            share=np.max([np.zeros(count), *shares], axis=0),
            over={limit: buildable & taken for limit, taken in over.items()},
            regions={region.name: _array(region.used_bytes, count) for region in used.regions},
            **{name: _array(getattr(used, name), count) for name in FIGURES},
        )


def _array(figure: Any, count: int) -> Any:
    """A figure as an array [count], which it may not be if it is the same for all."""
    return None if figure is None else np.broadcast_to(figure, count)


def _joined(parts: Sequence[Screened]) -> Screened:
    def join(arrays: Sequence[Any]) -> Any:
        return None if arrays[0] is None else np.concatenate(arrays)

    first = parts[0]
    return Screened(
        buildable=join([part.buildable for part in parts]),
        share=join([part.share for part in parts]),
        over={limit: join([part.over[limit] for part in parts]) for limit in first.over},
        regions={name: join([part.regions[name] for part in parts]) for name in first.regions},
        **{name: join([getattr(part, name) for part in parts]) for name in FIGURES},
    )
