"""Measure how many whole architectures a second a search can hold against a board's budget, on one core.

    python -m benchmarks.screening            100,000 architectures for a microcontroller and for a Linux board
    python -m benchmarks.screening --quick    10,000 for each
    python -m benchmarks.screening --json     one JSON document

An architecture is whole: sizes drawn at random, almost no two the same, and a cell drawn for each position.
``objects`` counts drawing and constructing each ``Architecture`` and judging them together; ``arrays`` draws
indices into 1,000 sizes and into the cells instead and constructs no object. ``one by one`` constructs and
judges each with ``Board.judge``, on fewer. Times are seconds of the processor, not of the clock. The verdicts
of both ways are compared, figure by figure; a difference is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from toolchain import profiles
from toolchain.architecture.architecture import Architecture, Block, Shrink
from toolchain.architecture.cells import distinct_cells
from toolchain.errors import InputError
from toolchain.graph.nodes import Leak, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.budget import budget
from toolchain.search.board import FRAME_MS, Board, Verdict
from toolchain.search.screening import FIGURES, Screen, Screened

BOARDS = ("stm32f405", "jetson_nano")
SIDE, CLASSES, MOST_CELLS, SIZES = 28, 10, 4, 1000
FULL, QUICK = 100_000, 10_000
ONE_BY_ONE = 500
"""Architectures that are judged one by one, for the comparison."""


def make_board(name: str) -> Board:
    """The board ``name`` for grey images of 28x28 in ten classes, with its whole budget."""
    profile = profiles.load(name)
    limits = budget(profile)
    pace = FRAME_MS if profile.core is not None else None
    preprocessing = Preprocessing(SIDE, SIDE, "grey")
    labels = tuple(map(str, range(CLASSES)))
    return Board(profile, limits, Shape(1, SIDE, SIDE), preprocessing, labels, False, pace)


def draw(rng: np.random.Generator, count: int) -> list[Architecture]:
    """Whole architectures: one to four cells with a shrink before each but perhaps the first, channels 4 to 256."""
    space = distinct_cells()
    cells = rng.integers(0, len(space), (count, MOST_CELLS)).tolist()
    channels = (4 * rng.integers(1, 65, (count, MOST_CELLS + 1))).tolist()
    choices = rng.integers(0, 2, (count, 3)).tolist()
    positions = rng.integers(1, MOST_CELLS + 1, count).tolist()
    steps = rng.integers(2, 9, count).tolist()
    leak, drawn = Leak("subtract", 2), []
    for row in range(count):
        pools, leads, flattens = choices[row]
        blocks: list[Block] = []
        for position in range(positions[row]):
            if position or leads:
                blocks.append(Shrink("pool" if pools else "stride", channels[row][position]))
            blocks.append(space[cells[row][position]])
        head = "flatten" if flattens else "count"
        stem = channels[row][-1]
        drawn.append(Architecture(steps[row], leak, "subtract", stem, 1 + leads, tuple(blocks), head))  # type: ignore[arg-type]
    return drawn


def measure(name: str, count: int, compared: int) -> dict[str, Any]:
    """Rates for the board ``name``; raises ``RuntimeError`` if the two ways disagree on an architecture."""
    board, rng = make_board(name), np.random.default_rng(0)
    screen = Screen(board)
    screen.judge(draw(rng, 10))  # tables are made on first use

    start = time.process_time()
    drawn = draw(rng, count)
    construction_s = time.process_time() - start
    judged = screen.judge(drawn)
    objects_s = time.process_time() - start

    sizes = draw(rng, SIZES)
    start = time.process_time()
    which = rng.integers(0, SIZES, count)
    cells = rng.integers(0, len(distinct_cells()), (count, MOST_CELLS))
    screen.judge_drawn(sizes, which, cells)
    arrays_s = time.process_time() - start

    start = time.process_time()
    screen.cells(drawn[0], 0)
    cells_s = time.process_time() - start

    start = time.process_time()
    verdicts = [_verdict(board, architecture) for architecture in draw(rng, compared)]
    one_by_one_s = (time.process_time() - start) / len(verdicts)

    for row, architecture in enumerate(drawn[:compared]):
        compare(_verdict(board, architecture), judged, row)
    return {
        "board": name,
        "architectures": count,
        "fit": int(judged.fits.sum()),
        "unbuildable": judged.unbuildable,
        "dropped": judged.dropped,
        "objects_per_second": round(count / objects_s),
        "construction_share": round(construction_s / objects_s, 3),
        "arrays_per_second": round(count / arrays_s),
        "one_by_one_per_second": round(1 / one_by_one_s),
        "speedup": round(one_by_one_s * count / objects_s, 1),
        "cells_of_a_position_seconds": round(cells_s, 4),
        "compared": min(compared, count),
    }


def main(arguments: list[str]) -> int:
    """Measure both boards and print the rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screening", description="Measure screening.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} architectures a board")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    found = [measure(name, QUICK if given.quick else FULL, ONE_BY_ONE) for name in BOARDS]
    if given.json:
        print(json.dumps({"boards": found}, indent=2))
    else:
        print("\n".join(map(_sentence, found)))
    return 0


def _verdict(board: Board, architecture: Architecture) -> Verdict | None:
    try:
        return board.judge(architecture)
    except InputError:
        return None


def compare(alone: Verdict | None, judged: Screened, row: int) -> None:
    """Raise ``RuntimeError`` unless every figure of ``row`` is that of the verdict on its architecture alone."""
    same = bool(judged.buildable[row]) == (alone is not None)
    if alone is not None:
        over = {limit for limit, broken in judged.over.items() if broken[row]}
        same = same and over == set(alone.dropped_by) and bool(judged.fits[row]) == alone.fits
        for name in FIGURES:
            one, many = getattr(alone.footprint, name), getattr(judged, name)
            same = same and (one is None if many is None else one == many[row])
    if not same:
        raise RuntimeError(f"architecture {row}: the verdict among many differs from that on it alone")


def _sentence(found: dict[str, Any]) -> str:
    dropped = ", ".join(f"{limit} {count:,}" for limit, count in found["dropped"].items()) or "none"
    return (
        f"{found['board']}: {found['objects_per_second']:,} whole architectures a second on one core"
        f" ({found['construction_share']:.0%} of the time constructs them), {found['arrays_per_second']:,} from"
        f" arrays, {found['one_by_one_per_second']:,} one by one: {found['speedup']:g} times as many; all cells of"
        f" a position in {found['cells_of_a_position_seconds'] * 1000:.0f} ms; {found['fit']:,} of"
        f" {found['architectures']:,} fit, dropped by {dropped}; {found['compared']} verdicts compared, all equal"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
