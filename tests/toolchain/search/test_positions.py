from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell
from toolchain.architecture.text import parse
from toolchain.search.board import Board
from toolchain.search.cell_space import searched_cells
from toolchain.search.journal import Journal, read_journal
from toolchain.search.positions import PositionSearch
from toolchain.search.results import Position
from toolchain.search.scores import Scores
from toolchain.search.sizes import REFERENCE, SMALLEST

ALL = searched_cells(SMALLEST)
FEW = tuple(cell for cell in ALL if cell in {*ALL[::12], REFERENCE, SMALLEST})
LINE = "t2 leak2 reset-subtract stem16/1 003000 stride16 003000 head-count"


def more_is_better(cell: Cell) -> Scores:
    return Scores(float(cell.weights(1)), 0.0)


def run(
    where: Board,
    score: Callable[[Cell], Scores] = more_is_better,
    journal: Path | None = None,
    deadline: float | None = None,
    **changes: Any,
) -> Position:
    settings: dict[str, Any] = {
        "architecture": parse(LINE),
        "position": 0,
        "cells": FEW,
        "candidates": 20,
        "seed": 0,
    } | changes
    with Journal(journal) as log:
        return PositionSearch(where, score=score, journal=log, progress=lambda _: None, **settings).run(
            deadline
        )


def test_the_highest_score_wins_and_ties_go_to_the_smaller_cell() -> None:
    found = run(board())
    assert found.chosen.cell == Cell.parse("333333") and found.chosen.roles == ("largest",)
    level = run(board(), lambda cell: Scores(1.0, 2.0))
    assert level.chosen.weights == min(candidate.weights for candidate in level.scored)


def test_references_come_first_and_in_addition() -> None:
    found = run(board(), candidates=5)
    assert [str(candidate.cell) for candidate in found.scored[:2]] == ["003000", "333333"]
    assert found.references == found.scored[:2] and len(found.scored) == 7
    assert found.stopped_by == "candidates"


def test_with_no_candidates_the_references_are_left() -> None:
    assert len(run(board(), candidates=0).scored) == 2


def test_when_the_time_is_up_the_references_are_still_scored() -> None:
    found = run(board(), deadline=0.0)
    assert found.stopped_by == "time" and len(found.scored) == 2


def test_the_order_is_drawn_from_the_seed_and_the_position() -> None:
    orders = [
        [candidate.cell for candidate in run(board(), seed=seed, position=position).scored]
        for seed, position in ((0, 0), (0, 0), (1, 0), (0, 1))
    ]
    assert orders[0] == orders[1] and orders[0] != orders[2] and orders[0] != orders[3]


def test_over_budget_cells_are_counted_written_and_never_scored(tmp_path: Path) -> None:
    where = board()
    narrow = where.judge(parse(LINE)).footprint.flash_bytes
    assert narrow is not None
    narrow += 2500  # room for one more 3x3 convolution of 16 channels, not for two
    scored: list[Cell] = []

    def score(cell: Cell) -> Scores:
        scored.append(cell)
        return more_is_better(cell)

    journal = tmp_path / "search.jsonl"
    tight = board(flash_bytes=narrow)
    found = run(tight, score, journal, candidates=10_000)
    assert found.stopped_by == "exhausted"
    fitting = {cell for cell in FEW if tight.judge(parse(LINE).with_cells((cell, Cell.parse("003000")))).fits}
    assert set(scored) == fitting and len(scored) == len(fitting)
    assert found.dropped == {"flash": len(FEW) - len(fitting)} and 1 < len(fitting) < len(FEW)
    entries = read_journal(journal)
    assert len(entries) == len({entry["cell"] for entry in entries}) == len(FEW)
    assert sum(not entry["dropped_by"] for entry in entries) == len(fitting)
    assert all(("scores" in entry) == (not entry["dropped_by"]) for entry in entries)


def test_the_reserve_stands_in_where_the_reference_does_not_fit() -> None:
    line = LINE.replace("003000", "001000")
    where = board()
    just = where.judge(parse(line)).footprint.flash_bytes
    assert just is not None
    found = run(board(flash_bytes=just + 100), architecture=parse(line))
    assert "003000" not in {str(candidate.cell) for candidate in found.scored}
    assert str(found.references[0].cell) == "001000"


def test_an_interrupt_leaves_every_scored_candidate_in_the_journal(tmp_path: Path) -> None:
    journal, count = tmp_path / "search.jsonl", 0

    def score(cell: Cell) -> Scores:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return more_is_better(cell)

    with pytest.raises(KeyboardInterrupt):
        run(board(), score, journal)
    assert sum("scores" in entry for entry in read_journal(journal)) == 5


def test_cells_that_fire_alike_for_all_images_lose_to_any_other() -> None:
    found = run(board(), lambda cell: Scores(float("-inf") if cell.weights(1) > 9 else 0.0, 0.0))
    assert found.chosen.weights <= 9 * 16 * 16
