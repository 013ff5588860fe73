"""Which sizes fit the board with a modest cell in every position: decided before any forward pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell, distinct_cells
from toolchain.errors import InputError, OverBudgetError
from toolchain.search.board import Board, Verdict
from toolchain.search.limits import misses
from toolchain.search.prior import expected
from toolchain.search.rungs import SECONDS_PER_OPERATION, seconds_per_image
from toolchain.search.screening import Screen
from toolchain.search.settings import OPERATIONS
from toolchain.search.space import Sizes, direct_cells, sizes

DEAREST_IMAGE_S = 0.03
"""Core seconds that an image may take in training: with more, the default time of a search trains no pool."""


@dataclass(frozen=True)
class Feasible:
    """The ``sizes`` that fit with ``reserve`` in every position, the most promising first; ``grid`` has them all.

    ``board`` judges what follows. It is the one given unless no size keeps its pace: then candidates may be no
    slower than the fastest, and ``keeps_pace`` is False. So many sizes were ``dropped`` by each limit. ``cells``
    are those of the permitted operations.
    """

    board: Board
    screen: Screen
    reserve: Cell
    cells: tuple[Cell, ...]
    grid: tuple[Sizes, ...]
    sizes: tuple[Sizes, ...]
    dropped: dict[str, int]
    keeps_pace: bool

    @property
    def best(self) -> Architecture:
        """The most promising size with the reserve in every position."""
        return self.sizes[0].architecture(self.reserve)


def feasible_sizes(board: Board, operations: str = OPERATIONS) -> Feasible:
    """Judge the whole grid of sizes, with the best direct cell of the permitted ``operations`` that fits anywhere.

    Raises ``OverBudgetError`` with what the smallest network misses if none fits, ``InputError`` if none can be
    built for this input.
    """
    grid = tuple(
        replace(each, bits=bits)
        for each in sizes(board.pixels, board.preprocessing.frames)
        for bits in board.widths
    )
    if not grid:
        raise InputError(
            f"images of {board.pixels.width}x{board.pixels.height} suit no network of the space; give another --size"
        )
    cells = permitted_cells(operations)
    reserves = [cell for cell in direct_cells() if cell in cells]
    for reserve in reserves:
        found = _fitting(board, grid, reserve, cells, keeps_pace=True)
        if found.sizes:
            return found
    unhurried = replace(board, pace_ms=None)
    for reserve in reserves:
        judged = Screen(unhurried).judge([each.architecture(reserve) for each in grid])
        if judged.fits.any():
            assert judged.latency_ms is not None  # only a board with a pace gets here, and it has a core
            fastest = float(np.min(judged.latency_ms[judged.fits]))
            return _fitting(replace(board, pace_ms=fastest), grid, reserve, cells, keeps_pace=False)
    raise OverBudgetError(
        f"no network for images of {board.pixels.width}x{board.pixels.height} fits {board.profile.name}:"
        f" even the smallest misses {misses(_nearest(unhurried, grid, reserves))};"
        " take a smaller --size or a larger board"
    )


@lru_cache(maxsize=32)
def permitted_cells(operations: str) -> tuple[Cell, ...]:
    """The distinct cells whose edges have only these operations (digits)."""
    return tuple(cell for cell in distinct_cells() if set(str(cell)) <= set(operations))


def _fitting(
    board: Board, grid: tuple[Sizes, ...], reserve: Cell, cells: tuple[Cell, ...], *, keeps_pace: bool
) -> Feasible:
    screen = Screen(board)
    judged = screen.judge([each.architecture(reserve) for each in grid])
    # Whatever the maps take, so many operations alone are too dear to train; the least of all may still be taken.
    dearest = max(
        DEAREST_IMAGE_S / SECONDS_PER_OPERATION, judged.operations[judged.fits].min(initial=1 << 62)
    )
    fitting = [
        each
        for each, fits, operations in zip(grid, judged.fits, judged.operations, strict=True)
        if fits and operations <= dearest
    ]
    ordered = sorted(fitting, key=lambda each: (-expected(each, board.pixels), each))
    while len(ordered) > 1 and not _trainable(board, ordered[0].architecture(reserve)):
        del ordered[0]
    return Feasible(board, screen, reserve, cells, grid, tuple(ordered), judged.dropped, keeps_pace)


def _trainable(board: Board, architecture: Architecture) -> bool:
    """Whether a search has the time to train it: memory alone would let a board choose networks that take hours."""
    return seconds_per_image(board.graph(architecture)) <= DEAREST_IMAGE_S


def _nearest(board: Board, grid: tuple[Sizes, ...], reserves: list[Cell]) -> Verdict:
    """The verdict on what comes nearest to keeping every limit with the smallest of ``reserves``."""
    smallest = min(reserves, key=lambda cell: cell.weights(1))
    least = min((each.time_steps, each.stem_channels) for each in grid)
    verdicts = [
        board.judge(each.architecture(smallest))
        for each in grid
        if (each.time_steps, each.stem_channels) == least
    ]
    return min(verdicts, key=lambda verdict: max(e.used / max(e.available, 1e-9) for e in verdict.excesses))
