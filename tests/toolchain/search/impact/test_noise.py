from __future__ import annotations

import numpy as np
import pytest

from tests.toolchain.search.trained import trained
from toolchain.search.choice import RUN_DEVIATION
from toolchain.search.impact.noise import difference_error, residual_deviation


def test_what_seeds_add_to_all_networks_alike_is_no_noise() -> None:
    seeds = np.array([0.0, 0.03, -0.02])
    networks = [trained(4 * (index + 1), *(0.8 + 0.02 * index + seeds)) for index in range(4)]
    assert residual_deviation(networks) == pytest.approx(0, abs=1e-12)


def test_the_deviation_is_that_of_the_trainings() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.normal(0, 0.02, size=8)
    networks = [
        trained(4 + 4 * index, *(0.7 + 0.001 * index + seeds + rng.normal(0, 0.005, size=8)))
        for index in range(40)
    ]
    assert residual_deviation(networks) == pytest.approx(0.005, rel=0.12)


def test_the_error_of_a_difference_is_what_differences_scatter_by() -> None:
    rng = np.random.default_rng(1)
    means = rng.normal(0, 0.004, size=(20_000, 2, 3)).mean(2)
    assert difference_error(0.004, 3) == pytest.approx(float(np.std(means[:, 0] - means[:, 1])), rel=0.03)


def test_without_repetitions_the_noise_is_that_of_earlier_measurements() -> None:
    assert residual_deviation([trained(4, 0.8), trained(8, 0.9)]) == RUN_DEVIATION
    assert residual_deviation([trained(4, 0.8, 0.9)]) == RUN_DEVIATION
    assert residual_deviation([]) == RUN_DEVIATION
