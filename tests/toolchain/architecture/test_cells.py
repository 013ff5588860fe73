from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.architecture.cells import (
    EDGES,
    Cell,
    Operation,
    canonical,
    canonical_cells,
    distinct_cells,
    matrices,
)
from toolchain.errors import InputError

matrix_strategy = st.tuples(*[st.sampled_from(Operation)] * 6)


def paths(matrix: tuple[int, ...]) -> frozenset[tuple[tuple[int, int, int], ...]]:
    """Every path from node 0 to node 3 as its (from, to, operation) steps: brute force, by recursion."""
    steps = {edge: operation for edge, operation in zip(EDGES, matrix, strict=True) if operation}

    def walk(node: int, so_far: tuple[tuple[int, int, int], ...]) -> list[tuple[tuple[int, int, int], ...]]:
        if node == 3:
            return [so_far]
        found = []
        for (source, target), operation in steps.items():
            if source == node:
                found += walk(target, (*so_far, (source, target, operation)))
        return found

    return frozenset(walk(0, ()))


def edges_on_paths(matrix: tuple[int, ...]) -> tuple[int, ...]:
    used = {(a, b) for path in paths(matrix) for a, b, _ in path}
    return tuple(operation if edge in used else 0 for edge, operation in zip(EDGES, matrix, strict=True))


def test_the_numbers_of_the_published_space() -> None:
    everything = list(matrices())
    assert len(everything) == 15_625
    valid = [matrix for matrix in everything if matrix[EDGES.index((0, 3))]]
    assert len(valid) == 12_500
    # Two matrices are the same cell if they have the same operations on the same edges of the same paths.
    by_paths = {paths(matrix) for matrix in valid}
    assert len(by_paths) == len(canonical_cells()) == 7_556
    assert len(distinct_cells()) == 7_012


def test_canonical_keeps_exactly_the_edges_on_a_path() -> None:
    for matrix in product(range(5), repeat=6):
        assert canonical(tuple(map(Operation, matrix))) == edges_on_paths(matrix)


def test_isomorphic_cells_have_one_representative() -> None:
    def renamed(matrix: tuple[int, ...]) -> frozenset[tuple[tuple[int, int, int], ...]]:
        names = {0: 0, 1: 2, 2: 1, 3: 3}
        return frozenset(tuple((names[a], names[b], op) for a, b, op in path) for path in paths(matrix))

    by_form = {frozenset({paths(c.operations), renamed(c.operations)}) for c in canonical_cells()}
    assert len(by_form) == 7_012
    for cell in canonical_cells():
        other = cell.representative
        assert other.representative == other and other <= cell
        assert paths(other.operations) in (paths(cell.operations), renamed(cell.operations))


def test_enumeration_is_sorted_and_repeatable() -> None:
    assert list(canonical_cells()) == sorted(set(canonical_cells()))
    assert list(distinct_cells()) == sorted(set(distinct_cells()))
    assert set(distinct_cells()) < set(canonical_cells())


@pytest.mark.parametrize(
    ("text", "nodes", "weights"),
    [
        ("003000", (3,), 9 * 16),
        ("301203", (1, 2, 3), (9 + 1 + 9) * 16),
        ("001000", (3,), 0),
        ("204010", (1, 3), 16),
    ],
)
def test_nodes_and_weights(text: str, nodes: tuple[int, ...], weights: int) -> None:
    cell = Cell.parse(text)
    assert str(cell) == text and cell.nodes == nodes and cell.weights(4) == weights


def test_edges_of_a_node() -> None:
    cell = Cell.parse("301243")
    assert list(cell.into(1)) == [(0, Operation.CONV3X3)]
    assert list(cell.into(2)) == [(1, Operation.CONV1X1)]
    assert list(cell.into(3)) == [(0, Operation.SKIP), (1, Operation.AVGPOOL3X3), (2, Operation.CONV3X3)]


def test_parse_prunes_and_the_constructor_refuses_dead_branches() -> None:
    assert str(Cell.parse("303000")) == "003000"
    with pytest.raises(InputError, match="303000 has branches that lead nowhere.*003000"):
        Cell(tuple(Operation(int(digit)) for digit in "303000"))


@pytest.mark.parametrize("text", ["", "00300", "0030000", "005000", "00300x", "٣٣٣٣٣٣", "-03000"])
def test_texts_that_are_no_cell(text: str) -> None:
    with pytest.raises(InputError, match="six digits"):
        Cell.parse(text)


def test_a_cell_without_the_direct_edge_is_not_in_the_space() -> None:
    with pytest.raises(InputError, match="300303 is not in the space"):
        Cell.parse("300303")


@given(matrix_strategy)
def test_canonical_is_a_fixpoint(matrix: tuple[Operation, ...]) -> None:
    assert canonical(canonical(matrix)) == canonical(matrix)
