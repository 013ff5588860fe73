from __future__ import annotations

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell, distinct_cells
from toolchain.architecture.text import parse
from toolchain.search.cell_space import best, searched_cells
from toolchain.search.results import Candidate
from toolchain.search.scores import Scores
from toolchain.search.sizes import REFERENCE, SMALLEST

VERDICT = board().judge(parse("t2 leak2 reset-subtract stem4/2 003000 head-count"))


def candidate(text: str, score: float, spread: float = 0.0) -> Candidate:
    cell = Cell.parse(text)
    return Candidate(cell, VERDICT, cell.weights(1), Scores(score, 0.0, spread), ())


def test_with_the_reference_in_reserve_the_direct_edge_is_a_3x3() -> None:
    cells = searched_cells(REFERENCE)
    assert set(cells) == {cell for cell in distinct_cells() if str(cell)[2] == "3"} and len(cells) == 1753
    assert REFERENCE in cells and str(cells[0]) == "333333"


def test_where_no_reference_fits_all_cells_are_looked_at_the_largest_first() -> None:
    cells = searched_cells(SMALLEST)
    assert set(cells) == set(distinct_cells()) and SMALLEST in cells
    weights = [cell.weights(1) for cell in cells]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("scored", "wanted"),
    [
        ([candidate("003000", 10.0), candidate("333333", 11.0)], "333333"),
        # Within two standard deviations of the highest: the smaller one.
        ([candidate("003000", 10.0), candidate("333333", 11.0, 0.5), candidate("023002", 10.5)], "003000"),
        ([candidate("003000", 10.0), candidate("333333", 11.0, 0.49), candidate("023002", 10.5)], "023002"),
        # Only the spread of the highest counts, and equal weights go by score.
        ([candidate("003000", 1.0, 99.0), candidate("103010", 9.0), candidate("403040", 9.5, 1.0)], "403040"),
        ([candidate("333333", float("-inf")), candidate("003000", float("-inf"))], "003000"),
    ],
)
def test_a_larger_cell_has_to_win_by_more_than_the_noise(scored: list[Candidate], wanted: str) -> None:
    assert str(best(scored).cell) == wanted
    assert str(best(scored[::-1]).cell) == wanted
