"""How large a network of the ``snasnet`` space is for a board: the published one, or the same made narrower.

The published sizes are rungs of the ladder: C = 256 with the second pooling by 4 (CIFAR-10), C = 128 with it by 2
(CIFAR-100), both with 1,024 neurons in the fully connected layer; below, that layer shrinks with C. Images with
sides above 48 get the stem's stride 2, as Tiny-ImageNet did. A class has 10 voters, above ten classes 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.errors import InputError, OverBudgetError
from toolchain.graph.nodes import Shape
from toolchain.search.board import Board
from toolchain.search.limits import misses

SKIP = Cell.parse("001000")
"""The cell that takes least."""

CHANNELS = (256, 128, 64, 32, 16, 8)
WIDEST_LAYER = 1024
"""Neurons of the fully connected layer from C = 128 up; a narrower network has 8 for each channel."""

LARGE_SIDE = 48
MANY_CLASSES = 10
ENOUGH = 0.5
"""Share of the drawn cells that has to fit."""

ASKED = 100
"""Drawn cells that are asked about."""


def with_cell(size: SnasnetArchitecture, cell: Cell) -> SnasnetArchitecture:
    """The network of this size with ``cell`` at both positions, as the published search places it."""
    return replace(size, cells=(cell, cell))


def ladder(pixels: Shape, classes: int) -> list[SnasnetArchitecture]:
    """Networks with skips for cells, the largest first; raises ``InputError`` if the images suit none."""
    rungs = []
    for channels in CHANNELS:
        for pool in (4,) if channels == CHANNELS[0] else (2, 4):
            size = SnasnetArchitecture(
                channels,
                (SKIP, SKIP),
                stem_stride=2 if max(pixels.height, pixels.width) > LARGE_SIDE else 1,
                pool=pool,
                width=min(WIDEST_LAYER, 8 * channels),
                voters=5 if classes > MANY_CLASSES else 10,
            )
            try:
                size.maps(pixels)
            except InputError:
                continue
            rungs.append(size)
    if not rungs:
        raise InputError(
            f"images of {pixels.width}x{pixels.height} suit no network of the snasnet space; give another --size"
        )
    return rungs


def smallest(board: Board) -> SnasnetArchitecture:
    """The least that the space has for ``board``.

    Raises ``OverBudgetError`` with what it misses if it does not fit, ``InputError`` if the board is a
    microcontroller or the images suit no network.
    """
    size = ladder(board.pixels, len(board.labels))[-1]
    verdict = board.judge(size)
    if not verdict.fits:
        raise OverBudgetError(
            f"no network of the snasnet space for images of {board.pixels.width}x{board.pixels.height} fits"
            f" {board.profile.name}: even the smallest misses {misses(verdict)}; take a smaller --size, a larger"
            " board or --algorithm spikenas"
        )
    return size


def largest_fitting(board: Board, cells: Sequence[Cell]) -> SnasnetArchitecture:
    """The largest size at which half of ``cells`` fit, or else at which one does, or else the smallest of all.

    Raises as ``smallest`` does.
    """
    least = smallest(board)
    asked = cells[:ASKED]
    rungs = ladder(board.pixels, len(board.labels))
    fitting = [sum(board.judge(with_cell(size, cell)).fits for cell in asked) for size in rungs]
    for enough in (ENOUGH * len(asked), 1):
        for size, count in zip(rungs, fitting, strict=True):
            if count >= enough:
                return size
    return least
