from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.graph.codes import MAX_CODE
from toolchain.network.grids import MAX_SHIFT, Floats, choose_grid


def rounded(weight: Floats, bits: int, exponent: Floats, gain: Floats) -> Floats:
    step = (2.0**-exponent / gain)[:, None]
    return np.clip(np.rint(weight / step), -MAX_CODE[bits], MAX_CODE[bits]) * step


def error(weight: Floats, bits: int, free: bool) -> float:
    """Relative squared error of one channel on its grid."""
    grid = choose_grid([weight], bits, free)
    difference = rounded(weight, bits, grid.exponent, grid.gain.astype(float)) - weight
    return float((difference**2).sum() / (weight**2).sum())


@pytest.mark.parametrize("bits", [4, 2])
@given(seed=st.integers(0, 1000))
def test_no_power_of_two_is_better(bits: int, seed: int) -> None:
    weight = np.random.default_rng(seed).normal(0, 0.3, (1, 40))
    found = choose_grid([weight], bits, free=False)
    assert (found.gain == 1).all()
    errors = [
        ((rounded(weight, bits, np.array([float(k)]), np.ones(1)) - weight) ** 2).sum() for k in range(-8, 16)
    ]
    assert int(found.exponent[0]) - -8 == int(np.argmin(errors))


@pytest.mark.parametrize("bits", [4, 2])
def test_normal_weights_get_close_to_the_best_step_there_is(bits: int) -> None:
    """Steps of least error for a normal density, with 15 and 3 levels, in deviations, and the errors in variances.

    They come from numerical integration.
    """
    weight = np.random.default_rng(1).normal(0, 0.3, (1, 100_000))
    grid = choose_grid([weight], bits, free=True)
    step = 2.0 ** -grid.exponent[0] / grid.gain[0]
    best, least = {4: (0.3535, 0.01289), 2: (1.2240, 0.19017)}[bits]
    assert step / 0.3 == pytest.approx(best, rel=0.06)
    assert error(weight, bits, True) == pytest.approx(least, rel=0.03)
    assert error(weight, bits, True) <= error(weight, bits, False) * 1.001


def test_weights_on_a_grid_stay_as_they_are() -> None:
    code = np.array([[-7, 3, 1, 0, 7], [1, -1, 0, 1, 1]])
    for step in (2.0**-3, 2.0**-9):
        assert error(code[:1] * step, 4, False) == error(code[:1] * step, 4, True) == 0
        assert error(code[1:] * step, 2, False) == error(code[1:] * step, 2, True) == 0


def test_gains_are_small_and_channels_of_zeros_have_a_grid() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 1, (9, 4, 3, 3)) * np.arange(9).reshape(-1, 1, 1, 1), np.zeros((9, 2, 1, 1))]
    for bits in (4, 2):
        grid = choose_grid(weights, bits, free=True)
        assert grid.gain.dtype == np.float32 and (np.abs(np.log2(grid.gain)) <= 0.5).all()
        assert grid.exponent[0] > 20


def test_the_largest_shift_is_the_last_at_which_codes_fit() -> None:
    for bits, shift in MAX_SHIFT.items():
        assert MAX_CODE[bits] << shift <= 127 < MAX_CODE[bits] << shift + 1
