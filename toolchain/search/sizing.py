"""The first decision of a search: the largest sizes that fit the board, with reference cells in every position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.errors import InputError, OverBudgetError
from toolchain.search.board import Board, Verdict
from toolchain.search.limits import misses
from toolchain.search.sizes import REFERENCE, SMALLEST, ladder, with_cell

Seen = Callable[[Verdict], None]


@dataclass(frozen=True)
class Sizing:
    """The sizes chosen, with ``reserve`` in every position: what later positions are sure to get.

    ``board`` judges what follows. It is the one given unless no size keeps its pace: then the fastest was taken,
    ``keeps_pace`` is False, and cells may be no slower than that. ``next_larger`` is the verdict on the size
    that was preferred to the chosen one and did not fit; None if the first was taken.
    """

    board: Board
    verdict: Verdict
    reserve: Cell
    keeps_pace: bool
    next_larger: Verdict | None


def choose_sizes(board: Board, seen: Seen) -> Sizing:
    """Try the ladder's sizes, telling ``seen`` of each, and return the most preferred that fits.

    Raises ``OverBudgetError`` with what the smallest network misses if none fits, ``InputError`` if none can be
    built for this input.
    """
    sizes = _buildable(board)
    for reserve in (REFERENCE, SMALLEST):
        verdicts = _until_one_fits(board, sizes, reserve, seen)
        if verdicts[-1].fits:
            return Sizing(board, verdicts[-1], reserve, True, verdicts[-2] if len(verdicts) > 1 else None)
    unhurried = replace(board, pace_ms=None)
    for reserve in (REFERENCE, SMALLEST):
        # The smallest first: where no size keeps the pace, it comes nearest.
        verdict = _until_one_fits(unhurried, sizes[::-1], reserve, seen)[-1]
        if verdict.fits:
            return Sizing(replace(board, pace_ms=verdict.latency_ms), verdict, reserve, False, None)
    smallest = unhurried.judge(with_cell(sizes[-1], SMALLEST))
    raise OverBudgetError(
        f"no network for images of {board.pixels.width}x{board.pixels.height} fits {board.profile.name}:"
        f" even the smallest misses {misses(smallest)}; take a smaller --size or a larger board"
    )


def _until_one_fits(board: Board, sizes: list[Architecture], cell: Cell, seen: Seen) -> list[Verdict]:
    verdicts = []
    for size in sizes:
        verdicts.append(board.judge(with_cell(size, cell)))
        seen(verdicts[-1])
        if verdicts[-1].fits:
            break
    return verdicts


def _buildable(board: Board) -> list[Architecture]:
    sizes, refused = [], None
    for size in ladder(board.pixels):
        try:
            board.graph(size)
        except InputError as error:
            refused = error
        else:
            sizes.append(size)
    if not sizes:
        raise InputError(f"no network of the space takes this input: {refused}")
    return sizes
