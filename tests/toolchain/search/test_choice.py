from __future__ import annotations

import math

import pytest

from tests.toolchain.search.trained import trained
from toolchain.search.choice import RUN_DEVIATION, choose, most_accurate, run_deviation, standard_error


def test_the_smallest_within_one_standard_error_is_taken() -> None:
    best, close, far = trained(64, 0.90, 0.90), trained(32, 0.898, 0.898), trained(16, 0.85, 0.85)
    error = standard_error(best, [best, close, far])
    assert error == pytest.approx(math.sqrt(0.9 * 0.1 / 10_000))
    assert most_accurate([close, far, best]) is best
    assert choose([best, close, far]) is close


def test_noise_between_seeds_widens_what_counts_as_level() -> None:
    steady = [trained(64, 0.90, 0.90), trained(16, 0.88, 0.88)]
    noisy = [trained(64, 0.93, 0.87), trained(16, 0.91, 0.85)]
    assert choose(steady) is steady[0] and choose(noisy) is noisy[1]
    assert run_deviation(noisy, 0) == pytest.approx(0.03 * math.sqrt(2))


def test_one_training_each_takes_the_noise_that_was_measured_before() -> None:
    every = [trained(64, 0.90), trained(16, 0.88)]
    assert run_deviation(every, 0) == RUN_DEVIATION


def test_only_the_highest_rung_decides() -> None:
    early = trained(16, 0.99, rung=0)
    late = [trained(32, 0.80, rung=1), trained(64, 0.90, rung=1)]
    assert choose([early, *late]) is late[1]


def test_of_equals_the_smaller() -> None:
    every = [trained(64, 0.9), trained(32, 0.9)]
    assert most_accurate(every) is every[1] and choose(every) is every[1]


def test_a_training_that_diverged_does_not_hide_what_the_others_show() -> None:
    every = [
        trained(64, 0.900, 0.905),
        trained(48, 0.895, 0.0),
        trained(16, 0.700, 0.702),
        trained(8, 0.5, 0.502),
    ]
    assert choose(every) is every[0]
