"""The torch neuron against the reference's, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import surrogate

from tests.support.graphs import LEAKS
from toolchain.graph import reference
from toolchain.graph.nodes import Leak, Lif, Shape, Skip
from toolchain.network.neuron import Dynamics, floor_through, integrate_and_fire, round_through


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(LEAKS),
    st.sampled_from(["subtract", "zero"]),
    st.booleans(),
    st.integers(1, 8),
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
    dynamics = Dynamics(leak, reset, integer=True)  # type: ignore[arg-type]
    found = integrate_and_fire(torch.tensor(current, dtype=torch.float32), steps, dynamics, theta, theta)
    assert (found.numpy() == np.stack(expected)).all()


@pytest.mark.parametrize("leak", LEAKS)
def test_the_integer_leak_is_exact_over_all_of_int16(leak: Leak) -> None:
    potentials = np.arange(-32768, 32768)
    values = torch.tensor(potentials, dtype=torch.float32)
    found = Dynamics(leak, "subtract", integer=True).decay(values, out=torch.empty_like(values))
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
        dynamics = Dynamics(Leak("none", 1), "subtract", integer=False)
        integrate_and_fire(current, 1, dynamics, theta, theta).sum().backward()
        assert current.grad is not None
        gradients.append(current.grad.flatten() * unit)
    near, other = gradients
    assert near[1] > near[0] > near[2] > 0
    assert torch.allclose(near, other)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("leak", LEAKS)
def test_gradients_are_those_of_snntorch_s_surrogate_through_a_plain_loop(
    leak: Leak, reset: str, constant: bool
) -> None:
    steps = 5
    generator = torch.Generator().manual_seed(0)
    start = torch.randn((1 if constant else steps, 3, 2, 4, 4), generator=generator)
    weight = torch.randn((steps, 3, 2, 4, 4), generator=generator)
    one = torch.ones(2, 1, 1)

    current = start.clone().requires_grad_()
    potential = torch.zeros(3, 2, 4, 4)
    spikes = []
    for step in range(steps):
        potential = potential * leak.kept + current[0 if constant else step]
        spike = surrogate.atan(alpha=2.0)(potential - one)
        potential = potential - spike.detach() if reset == "subtract" else potential * (1 - spike.detach())
        spikes.append(spike)
    (torch.stack(spikes) * weight).sum().backward()

    fused = start.clone().requires_grad_()
    dynamics = Dynamics(leak, reset, integer=False)  # type: ignore[arg-type]
    found = integrate_and_fire(fused, steps, dynamics, one, one)
    (found * weight).sum().backward()
    assert (found == torch.stack(spikes)).all()
    assert fused.grad is not None and current.grad is not None
    assert torch.allclose(fused.grad, current.grad, atol=1e-6)
