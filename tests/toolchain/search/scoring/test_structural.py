from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from toolchain.architecture.cells import EDGES, Cell, Operation, distinct_cells
from toolchain.search.scoring.structural import Structure, all_structures, convolutions, longest_path

PATHS = [((0, 3),), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 1), (1, 2), (2, 3))]


def by_all_paths(cell: Cell, counted: set[Operation]) -> int:
    """Look at each of the four paths from input to output."""
    operations = dict(zip(EDGES, cell.operations, strict=True))
    alive = [path for path in PATHS if all(operations[edge] for edge in path)]
    return max(sum(operations[edge] in counted for edge in path) for path in alive)


@pytest.mark.parametrize(
    ("text", "path", "path_3x3", "count", "weights"),
    [
        ("003000", 1, 1, 1, 9),
        ("001000", 0, 0, 0, 0),
        ("333333", 3, 3, 6, 54),
        ("204203", 3, 1, 3, 11),
        ("314011", 1, 1, 1, 9),
        ("102004", 1, 0, 1, 1),
    ],
)
def test_known_cells(text: str, path: int, path_3x3: int, count: int, weights: int) -> None:
    cell = Cell.parse(text)
    found = Structure.of([cell])
    assert (found.path[0], found.path_3x3[0], found.convolutions[0]) == (path, path_3x3, count)
    assert found.weights(1)[0] == weights and found.weights(16)[0] == weights * 256


def test_the_longest_path_is_the_longest_of_all_paths() -> None:
    for cell in distinct_cells():
        assert longest_path(cell) == by_all_paths(cell, {Operation.CONV1X1, Operation.CONV3X3})
        assert longest_path(cell, frozenset({Operation.CONV3X3})) == by_all_paths(cell, {Operation.CONV3X3})


def test_arrays_are_those_of_each_cell() -> None:
    found = all_structures()
    assert found.cells == distinct_cells()
    assert found.path.tolist() == [longest_path(cell) for cell in found.cells]
    assert found.convolutions.tolist() == [convolutions(cell) for cell in found.cells]
    assert found.weights(32).tolist() == [cell.weights(32) for cell in found.cells]
    assert set(found.path.tolist()) == {0, 1, 2, 3} and found.path.dtype == np.int64


def test_a_path_is_no_longer_than_there_are_convolutions() -> None:
    found = all_structures()
    assert (found.path <= found.convolutions).all() and (found.path_3x3 <= found.path).all()
    for path, count in product(range(4), range(7)):
        assert ((found.path == path) & (found.convolutions == count)).any() == (
            path <= count <= {0: 0, 1: 4, 2: 5, 3: 6}[path] or (path == count == 0)
        )
