from __future__ import annotations

import numpy as np
import pytest

from toolchain.architecture.cells import distinct_cells
from toolchain.search.scoring.results import CellScores, average

CELLS = distinct_cells()[:3]


def scored(first: list[float]) -> CellScores:
    values = np.array(first)
    return CellScores(CELLS, values, values + 1, values * 2, 10, 190)


def test_mean_and_sample_deviation() -> None:
    found = average([scored([1.0, 2.0, 5.0]), scored([3.0, 2.0, 6.0]), scored([8.0, 2.0, 7.0])])
    assert found.seeds == 3 and found.cells == CELLS
    assert found.mean["hamming"] == pytest.approx([4.0, 2.0, 6.0])
    assert found.deviation["hamming"] == pytest.approx([13**0.5, 0.0, 1.0])
    assert found.mean["sahd_2022_07"] == pytest.approx([8.0, 4.0, 12.0])
    assert found.deviation["sahd_2022_01"] == pytest.approx(found.deviation["hamming"])


def test_no_score_with_one_seed_is_no_score() -> None:
    found = average([scored([1.0, -np.inf, -np.inf]), scored([3.0, 2.0, -np.inf])])
    assert found.mean["hamming"].tolist() == [2.0, -np.inf, -np.inf]
    assert found.deviation["hamming"][1:].tolist() == [0.0, 0.0]


def test_one_seed_has_no_spread() -> None:
    found = average([scored([1.0, 2.0, 3.0])])
    assert found.mean["hamming"].tolist() == [1.0, 2.0, 3.0]
    assert found.deviation["hamming"].tolist() == [0.0, 0.0, 0.0]


def test_only_scores_of_the_same_cells_are_averaged() -> None:
    other = CellScores(CELLS[:2], *(np.zeros(2) for _ in range(3)), 10, 190)
    with pytest.raises(ValueError, match="same cells"):
        average([scored([1.0, 2.0, 3.0]), other])
    with pytest.raises(ValueError, match="at least one"):
        average([])
