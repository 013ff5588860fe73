"""The torch neuron against the reference's, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import LEAKS
from toolchain.graph import reference
from toolchain.graph.nodes import Leak, Lif, Shape, Skip
from toolchain.network.neuron import floor_through, integer_decay, integrate_and_fire, round_through


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(LEAKS), st.sampled_from(["subtract", "zero"]), st.booleans(), st.integers(1, 8)
)
def test_integers_are_the_reference_s(seed: int, leak: Leak, reset: str, constant: bool, steps: int) -> None:
    rng = np.random.default_rng(seed)
    shape = Shape(4, 3, 3)
    threshold = rng.integers(1, 300, 4)
    current = rng.integers(-2000, 2000, (1 if constant else steps, 2, *shape))
    node = Lif("n", shape, (Skip("x"),), leak, reset, None, threshold.astype(np.int16), None)  # type: ignore[arg-type]
    potential = np.zeros((2, *shape), np.int64)
    expected = []
    for step in range(steps):
        spikes, potential = reference.fire(node, potential, current[0 if constant else step])
        expected.append(spikes)
    theta = torch.tensor(threshold, dtype=torch.float32).reshape(-1, 1, 1)
    found = integrate_and_fire(
        torch.tensor(current, dtype=torch.float32), steps, integer_decay(leak), reset, theta, theta, half_step=0.5
    )
    assert (found.numpy() == np.stack(expected)).all()


@pytest.mark.parametrize("leak", LEAKS)
def test_the_integer_leak_is_exact_over_all_of_int16(leak: Leak) -> None:
    potentials = np.arange(-32768, 32768)
    found = integer_decay(leak)(torch.tensor(potentials, dtype=torch.float32))
    assert (found.numpy() == leak.apply(potentials)).all()


def test_gradients_pass_straight_through_roundings() -> None:
    values = torch.tensor([0.2, -1.7, 2.5], requires_grad=True)
    (floor_through(values) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert values.grad is not None and values.grad.tolist() == [1.0, 2.0, 3.0]
    assert round_through(torch.tensor([0.5, 1.5, -0.5])).tolist() == [0.0, 2.0, 0.0]


def test_a_potential_near_threshold_learns_most_and_scale_does_not_matter() -> None:
    gradients = []
    for unit in (1.0, 64.0):
        current = torch.tensor([0.0, 0.9, 5.0]).reshape(1, 1, 1, 1, 3).mul(unit).requires_grad_()
        theta = torch.full((1, 1, 1), unit)
        integrate_and_fire(current, 1, lambda u: u, "subtract", theta, theta).sum().backward()
        assert current.grad is not None
        gradients.append(current.grad.flatten() * unit)
    near, other = gradients
    assert near[1] > near[0] > near[2] > 0
    assert torch.allclose(near, other)
