from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from toolchain.search.scoring.convolution import (
    Convolution,
    by_matrices,
    convolution,
    in_float,
    in_int8,
    int8_works,
)
from toolchain.search.scoring.weights import LARGEST, Weights, draw

CPU = torch.device("cpu")


def chosen(weights: Weights) -> Convolution:
    return convolution(weights, CPU)


def in_taps(weights: Weights) -> Convolution:
    return by_matrices(weights, CPU)


ROUTINES = [chosen, in_float, in_taps] + ([in_int8] if int8_works() else [])


@pytest.mark.parametrize("routine", ROUTINES, ids=lambda routine: routine.__name__)
@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7), st.integers(1, 20)),
    st.sampled_from([1, 3]),
    st.integers(0, 1000),
)
def test_every_routine_gives_the_same_whole_numbers(
    routine: Callable[[Weights], Convolution], shape: tuple[int, ...], kernel: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.randint(0, 2, shape, generator=generator, dtype=torch.uint8)
    size = (shape[-1], shape[-1], kernel, kernel)
    values = torch.randint(-LARGEST, LARGEST + 1, size, generator=generator, dtype=torch.int8)
    found = routine(Weights(values, 1.0))(spikes)
    exact = functional.conv2d(spikes.double().permute(0, 3, 1, 2), values.double(), padding=kernel // 2)
    assert found.dtype == torch.float32 and found.is_contiguous()
    assert torch.equal(found.double(), exact.permute(0, 2, 3, 1))


@pytest.mark.parametrize("routine", ROUTINES, ids=lambda routine: routine.__name__)
def test_the_largest_sums_are_exact(routine: Callable[[Weights], Convolution]) -> None:
    spikes = torch.ones(1, 3, 3, 256, dtype=torch.uint8)
    values = torch.full((2, 256, 3, 3), LARGEST, dtype=torch.int8)
    values[1] = -LARGEST
    found = routine(Weights(values, 1.0))(spikes)
    assert found[0, 1, 1].tolist() == [256 * 9 * LARGEST, -256 * 9 * LARGEST]


def test_weights_are_drawn_within_the_bound_of_a_convolution_layer() -> None:
    drawn = draw(8, seed=3)
    assert len(drawn) == 12
    for (_, _), weights in drawn.items():
        assert weights.unit * LARGEST == pytest.approx((8 * weights.kernel**2) ** -0.5)
        assert weights.values.abs().max() <= LARGEST
        share = weights.values.double() / LARGEST
        assert share.std() == pytest.approx(3**-0.5, rel=0.2)  # uniform
    assert torch.equal(draw(8, seed=3)[(1, 3), 3].values, drawn[(1, 3), 3].values)  # type: ignore[index]
    assert not torch.equal(draw(8, seed=4)[(1, 3), 3].values, drawn[(1, 3), 3].values)  # type: ignore[index]
