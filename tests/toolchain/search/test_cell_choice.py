from __future__ import annotations

import numpy as np

from toolchain.architecture.cells import Cell, Operation, distinct_cells
from toolchain.search.cell_choice import RANKED_BY, best_cells, told
from toolchain.search.scoring.results import SCORES, Averages
from toolchain.search.scoring.structural import longest_path
from toolchain.search.space import REFERENCE

CELLS = distinct_cells()


def cell(text: str) -> Cell:
    return Cell.parse(text).representative


def averages(deviation: float = 0.0, **raised: float) -> Averages:
    """The same score for all cells but those named (with a leading c)."""
    values = np.zeros(len(CELLS))
    for name, score in raised.items():
        values[CELLS.index(cell(name[1:]))] = score
    spread = np.full(len(CELLS), deviation)
    return Averages(CELLS, dict.fromkeys(SCORES, values), dict.fromkeys(SCORES, spread), 4)


def test_each_length_of_path_has_its_best() -> None:
    best = best_cells(averages(c303020=5.0, c303303=9.0, c204242=99.0), REFERENCE, CELLS)
    assert best == {2: cell("303020"), 3: cell("303303")}
    for length, each in best.items():
        assert longest_path(each) == length and each.operations[2] == Operation.CONV3X3


def test_within_the_noise_the_fewest_weights_win() -> None:
    scores = {"c303020": 5.0, "c303030": 5.5}
    assert best_cells(averages(0.0, **scores), REFERENCE, CELLS)[2] == cell("303030")
    noisy = best_cells(averages(3.0, **scores), REFERENCE, CELLS)[2]
    assert noisy.weights(1) <= cell("303020").weights(1)


def test_only_permitted_cells() -> None:
    few = [each for each in CELLS if set(str(each)) <= set("013")]
    best = best_cells(averages(c302020=9.0), REFERENCE, few)
    assert all(set(str(each)) <= set("013") for each in best.values())
    assert best_cells(averages(), REFERENCE, [REFERENCE]) == {}


def test_cells_that_fire_alike_are_never_best() -> None:
    scores = averages()
    scores.mean[RANKED_BY][:] = -np.inf
    assert best_cells(scores, REFERENCE, CELLS) == {}


def test_a_user_is_told_of_the_roles_and_of_every_arg_max() -> None:
    found = {each.cell: each for each in told(1, averages(c204242=9.0), {REFERENCE: "reference"})}
    assert found["003000"].roles == ("reference",) and found["003000"].longest_path == 1
    assert found["204242"].roles == tuple(f"highest {name}" for name in SCORES)
    assert found["204242"].scores[RANKED_BY] == 9.0 and found["204242"].position == 1
