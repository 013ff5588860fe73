from __future__ import annotations

from collections import Counter

import numpy as np

from toolchain.architecture.cells import EDGES, Matrix, canonical, canonical_cells, matrices
from toolchain.search.snasnet.draw import draw


def published_pruning(operations: Matrix) -> Matrix:
    """One pass over the nodes, with the powers of the matrix as they were before it."""
    matrix = np.zeros((4, 4), np.int64)
    for edge, operation in zip(EDGES, operations, strict=True):
        matrix[edge] = operation
    reach = sum(np.linalg.matrix_power(matrix, power) for power in (1, 2, 3, 4))
    for node in range(4):
        leads_nowhere = node < 3 and reach[node, 3] == 0
        is_never_fed = node > 0 and reach[0, node] == 0
        if leads_nowhere or is_never_fed:
            matrix[node] = matrix[:, node] = 0
    return tuple(matrix[edge] for edge in EDGES)


def test_the_published_pruning_of_forward_cells_is_complete() -> None:
    accepted = []
    for operations in matrices():
        pruned = published_pruning(operations)
        assert pruned == canonical(operations)
        if pruned[2]:
            accepted.append(pruned)
    assert len(accepted) == 12_500
    assert len(set(accepted)) == len(canonical_cells()) == 7_556


def test_cells_are_drawn_as_often_as_published() -> None:
    frequency = Counter(canonical(operations) for operations in matrices() if operations[2])
    rng = np.random.default_rng(0)
    drawn = Counter(draw(rng).operations for _ in range(20_000))
    assert set(drawn) <= set(frequency)
    direct = [operations for operations in frequency if sum(map(bool, operations)) == 1]
    expected = sum(frequency[operations] for operations in direct) / 12_500
    found = sum(drawn[operations] for operations in direct) / 20_000
    assert expected > 0.03 and abs(found - expected) < 0.006  # 4.5 standard deviations
    assert {operations[2] for operations in drawn} == {1, 2, 3, 4}


def test_five_thousand_draws_score_cells_again() -> None:
    rng = np.random.default_rng(1)
    distinct = len({draw(rng) for _ in range(5000)})
    assert 2450 < distinct < 2720  # 2,582 on average


def test_the_generator_decides() -> None:
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    assert [draw(one) for _ in range(20)] == [draw(two) for _ in range(20)]
