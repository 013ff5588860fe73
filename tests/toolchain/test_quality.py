"""Qualities by hand, and as scikit-learn defines them."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.quality import mean_absolute_errors, r2, share_correct


def test_the_first_of_equal_scores_counts():
    scores = np.array([[3, 3, 1], [0, 2, 5], [1, 0, 0]])
    assert share_correct(scores, np.array([0, 2, 1])) == pytest.approx(2 / 3)
    assert share_correct(np.zeros((0, 3)), np.zeros(0, np.int64)) == 0.0


def test_r2_and_errors_by_hand():
    targets = np.array([[1, 10], [2, 10], [3, 40]], np.float32)
    values = np.array([[1, 20.0], [2, 20], [2, 20]])
    # Output 0: 1 - 1 / 2. Output 1: the mean, which explains nothing.
    np.testing.assert_allclose(r2(values, targets), [0.5, 0.0])
    np.testing.assert_allclose(mean_absolute_errors(values, targets), [1 / 3, 40 / 3])


def test_r2_is_negative_where_the_mean_would_be_better_and_defined_where_nothing_varies():
    targets = np.array([[0.0, 5, 5], [1, 5, 5]])
    np.testing.assert_allclose(r2(np.array([[1.0, 5, 5], [0, 5, 6]]), targets), [-3, 1, 0])
