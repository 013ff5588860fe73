"""The torch neuron against the reference's, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snntorch import surrogate

from tests.support.graphs import LEAKS
from toolchain.graph import reference
from toolchain.graph.nodes import Leak, Lif, Shape, Skip
from toolchain.network import neuron
from toolchain.network.neuron import (
    Dynamics,
    floor_through,
    integrate_and_fire,
    normalize_and_fire,
    round_through,
)
from toolchain.network.neuron_backend import Backend
from toolchain.network.neuron_compiled import Compiled
from toolchain.network.neuron_tensors import Tensors


@pytest.fixture(params=[Compiled, Tensors])
def work(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Each of the two, also used by what the test calls."""
    chosen: Backend = request.param()
    monkeypatch.setattr(neuron, "backend", lambda maps: chosen)
    return chosen


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 10**6),
    st.sampled_from(LEAKS),
    st.sampled_from(["subtract", "zero"]),
    st.booleans(),
    st.integers(1, 8),
)
def test_integers_are_the_reference_s(
    work: Backend, seed: int, leak: Leak, reset: str, constant: bool, steps: int
) -> None:
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
def test_the_integer_leak_is_exact_over_all_of_int16(leak: Leak, work: Backend) -> None:
    potentials = np.arange(-32768, 32768)
    theta = 1 << 20  # above every potential: nothing is reset
    # What is missing to the threshold behind the leak, and one less.
    missing = theta - leak.apply(potentials)
    current = torch.tensor(np.array([[potentials] * 2, [missing, missing - 1]]), dtype=torch.float32)
    dynamics = Dynamics(leak, "subtract", integer=True)
    threshold = torch.tensor([float(theta)])
    spikes = integrate_and_fire(current.reshape(2, 2, 1, 256, 256), 2, dynamics, threshold, threshold)
    assert spikes[1, 0].all() and not spikes[1, 1].any() and not spikes[0].any()


def test_gradients_pass_straight_through_roundings() -> None:
    values = torch.tensor([0.2, -1.7, 2.5], requires_grad=True)
    (floor_through(values) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert values.grad is not None and values.grad.tolist() == [1.0, 2.0, 3.0]
    assert round_through(torch.tensor([0.5, 1.5, -0.5])).tolist() == [0.0, 2.0, 0.0]


def test_a_potential_near_threshold_learns_most_and_scale_does_not_matter(work: Backend) -> None:
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


@pytest.mark.parametrize("theirs", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("leak", LEAKS)
def test_gradients_are_those_of_snntorch_s_surrogate_through_a_plain_loop(
    leak: Leak, reset: str, constant: bool, theirs: bool, work: Backend
) -> None:
    steps = 5
    generator = torch.Generator().manual_seed(0)
    # Sums of quarters with a gain of 1 or 2: some potentials without a leak lie on the threshold itself.
    start = torch.randint(-8, 8, (1 if constant else steps, 3, 2, 4, 4), generator=generator) / 4
    weight = torch.randn((steps, 3, 2, 4, 4), generator=generator)
    one = torch.ones(2)

    leaves = [start, torch.tensor([1.0, 2.0]), torch.tensor([0.25, -0.5])]
    current, gain, offset = (values.clone().requires_grad_() for values in leaves)
    drive = current * gain.reshape(-1, 1, 1) + offset.reshape(-1, 1, 1)
    potential = torch.zeros(3, 2, 4, 4)
    spikes = []
    for step in range(steps):
        potential = potential * leak.kept + drive[0 if constant else step]
        argument = potential - 1
        fired = (argument > 0 if theirs else argument >= 0).float()
        spike = surrogate.atan(alpha=2.0)(argument)
        spikes.append(spike + (fired - spike).detach())
        fired = spikes[-1] if theirs else fired
        potential = potential - fired if reset == "subtract" else potential * (1 - fired)
    (torch.stack(spikes) * weight).sum().backward()

    fused = [values.clone().requires_grad_() for values in leaves]
    dynamics = Dynamics(leak, reset, integer=False, snntorch=theirs)  # type: ignore[arg-type]
    found = integrate_and_fire(fused[0], steps, dynamics, one, one, gain=fused[1], offset=fused[2])
    (found * weight).sum().backward()
    assert (found == torch.stack(spikes)).all()
    for ours, plain in zip(fused, (current, gain, offset), strict=True):
        assert ours.grad is not None and plain.grad is not None
        assert torch.allclose(ours.grad, plain.grad, atol=1e-5)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_normalizing_at_once_is_normalizing_first(training: bool, constant: bool, work: Backend) -> None:
    steps, channels = 3, 5
    generator = torch.Generator().manual_seed(1)
    start = torch.randn((1 if constant else steps, 4, channels, 6, 6), generator=generator) * 3 + 7
    weight = torch.randn((steps, 4, channels, 6, 6), generator=generator)
    one, dynamics = torch.ones(channels), Dynamics(Leak(), "subtract", integer=False)
    results = []
    for fused in (True, False):
        norm = torch.nn.BatchNorm2d(channels).train(training)
        torch.nn.init.uniform_(norm.weight, 0.5, 2, generator=torch.Generator().manual_seed(2))
        assert norm.running_mean is not None
        norm.running_mean.fill_(6.5)
        sums = start.clone().requires_grad_()
        if fused:
            spikes = normalize_and_fire(sums, norm, steps, dynamics, one, one)
        else:
            normalized = norm(sums.flatten(0, 1)).unflatten(0, sums.shape[:2])
            spikes = integrate_and_fire(normalized, steps, dynamics, one, one)
        (spikes * weight).sum().backward()
        results.append((spikes, sums.grad, norm.weight.grad, norm.bias.grad, *norm.buffers()))
    for ours, plain in zip(*results, strict=True):
        assert torch.allclose(ours, plain, rtol=1e-3, atol=1e-4)


def test_what_threads_compute_does_not_depend_on_their_number() -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            sums = torch.randn(
                (2, 16, 24, 5, 5), generator=torch.Generator().manual_seed(3), requires_grad=True
            )
            norm, one = torch.nn.BatchNorm2d(24), torch.ones(24)
            dynamics = Dynamics(Leak(), "zero", integer=False)
            spikes = normalize_and_fire(sums, norm, 2, dynamics, one, one)
            (spikes * torch.arange(25.0).reshape(5, 5)).sum().backward()
            found.append((spikes, sums.grad, norm.weight.grad, norm.running_var))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))
