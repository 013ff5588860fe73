from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import LEAKS, random_graph, random_images
from toolchain.graph import reference
from toolchain.graph.bounds import (
    INT16_MAX,
    lif_bounds,
    max_count,
    round_half_up,
    score_bounds,
    steps_within_int16,
)
from toolchain.graph.nodes import Leak, Lif, Shape, SpikeConv


def one_neuron(weights: list[int], bias: int, threshold: int, leak: Leak, reset: str) -> Lif:
    return Lif(
        "n",
        Shape(1, 1, 1),
        (SpikeConv("x", 1, 1, np.array(weights, np.int8).reshape(1, -1, 1, 1)),),
        leak,
        reset,  # type: ignore[arg-type]
        np.array([bias], np.int16),
        np.array([threshold], np.int16),
        np.array([6], np.uint8),
    )


def test_constant_drive_by_hand() -> None:
    # i = 100 at most, theta 64, leak 1/4: 100 -> 36 left, 27 + 100 = 127 -> 63, 48 + 100 = 148
    bounds = lif_bounds(one_neuron([60, 40, -30], 0, 64, Leak("subtract", 2), "subtract"), 3)
    # The bound may start each step from theta - 1 = 63 too: 63 - 15 + 100 = 148, then 84 - 21 + 100 = 163
    assert bounds.potential_high[0] == 163
    # -30, -30 + 8 - 30 = -52, -52 + 13 - 30 = -69; and u - theta must fit as well
    assert bounds.potential_low[0] == -69 - 64
    assert (bounds.current_low[0], bounds.current_high[0]) == (-30, 100)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-128, 127), min_size=1, max_size=6),
    st.integers(-300, 300),
    st.integers(1, 500),
    st.sampled_from(LEAKS),
    st.sampled_from(["subtract", "zero"]),
    st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=8),
)
def test_no_input_leaves_the_bounds(
    weights: list[int], bias: int, threshold: int, leak: Leak, reset: str, drive: list[list[bool]]
) -> None:
    node = one_neuron(weights, bias, threshold, leak, reset)
    bounds = lif_bounds(node, len(drive))
    potential = np.zeros((1, 1, 1, 1), np.int64)
    for on in drive:
        current = bias + sum(weight for weight, fired in zip(weights, on, strict=False) if fired)
        before = int(leak.apply(potential).item()) + current
        assert bounds.potential_low[0] + threshold <= before <= bounds.potential_high[0]
        assert bounds.current_low[0] <= current <= bounds.current_high[0]
        _, potential = reference.fire(node, potential, np.full((1, 1, 1, 1), current, np.int64))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_scores_stay_within_their_bound(seed: int) -> None:
    graph = random_graph(seed)
    scores = np.abs(reference.scores(graph, random_images(graph, 4, seed)).astype(np.int64))
    assert (scores <= score_bounds(graph)).all()


def test_a_channel_at_the_limit_fits_and_one_above_does_not() -> None:
    node = one_neuron([0], 0, 1, Leak("none", 1), "zero")
    at_limit = replace(node, bias=np.array([INT16_MAX], np.int16))
    assert lif_bounds(at_limit, 1).fits.all()
    above = replace(at_limit, edges=(SpikeConv("x", 1, 1, np.array([[[[1]]]], np.int8)),))
    assert not lif_bounds(above, 1).fits.any()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_current_fits_before_the_bias_is_added_too(sign: int) -> None:
    """The kernels add the bias to a sum of weights that must fit by itself."""
    weights = [-sign * 127] * 260
    node = one_neuron(weights, sign * 1000, 1, Leak("none", 1), "zero")
    assert not lif_bounds(node, 1).fits.any()
    assert lif_bounds(one_neuron(weights[:250], sign * 1000, 1, Leak("none", 1), "zero"), 1).fits.all()


@pytest.mark.parametrize(
    ("value", "rounding", "expected"), [(5, 0, 5), (6, 2, 2), (-6, 2, -1), (5, 2, 1), (-7, 2, -2)]
)
def test_round_half_up(value: int, rounding: int, expected: int) -> None:
    assert round_half_up(np.array([value]), np.array([rounding]))[0] == expected


def test_most_spikes_of_a_feature() -> None:
    graph = random_graph(1)
    shape = graph.source_shape(graph.head.source)
    counted = replace(graph.head, features="count")
    flattened = replace(graph.head, features="flatten")
    assert (
        max_count(replace(graph, nodes=(*graph.nodes[:-1], counted)))
        == graph.time_steps * shape.height * shape.width
    )
    assert max_count(replace(graph, nodes=(*graph.nodes[:-1], flattened))) == graph.time_steps


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-128, 127), min_size=1, max_size=6),
    st.integers(-4000, 4000),
    st.integers(1, 4000),
    st.sampled_from([*LEAKS, Leak("subtract", 6), Leak("subtract", 15)]),
    st.sampled_from(["subtract", "zero"]),
)
def test_steps_within_int16_are_those_that_the_bounds_of_so_many_steps_allow(
    weights: list[int], bias: int, threshold: int, leak: Leak, reset: str
) -> None:
    node = one_neuron(weights, bias, threshold, leak, reset)
    most = 300
    steps = steps_within_int16(node, most)
    assert lif_bounds(node, steps).fits.all()
    assert steps == most or not lif_bounds(node, steps + 1).fits.all()


def test_a_leak_bounds_a_potential_for_ever_and_none_does_not() -> None:
    for_ever = 10**9
    # -100 a step, of which a quarter is lost: -400 at most; with no leak 32,000 // 100 steps stay above -32,768 + 768.
    assert (
        steps_within_int16(one_neuron([-100], 0, 768, Leak("subtract", 2), "subtract"), for_ever) == for_ever
    )
    assert steps_within_int16(one_neuron([-100], 0, 768, Leak("none", 1), "subtract"), for_ever) == 320
    # What only ever rises is reset at its threshold.
    assert steps_within_int16(one_neuron([100], 0, 768, Leak("none", 1), "zero"), for_ever) == for_ever
