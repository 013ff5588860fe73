"""One training of one network: its steps, its schedule, and going on from the middle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.data import bars
from tests.toolchain.training.small import network
from toolchain.errors import InputError
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.objective import Classification
from toolchain.training.phase import Extent, Phase, rate_at, seconds_per_epoch
from toolchain.training.recipe import Recipe

TASK = Classification()


def phase(epochs: int = 3, *, average: float = 0.0, batch: int = 7, mirror: bool = False) -> Phase:
    net = SpikingNetwork(network(), seed=0)
    plan = Recipe(epochs, 1, batch, average=average, mirror=mirror, shift=1 / 8)
    return Phase(
        "float",
        net,
        bars(60).train,
        TASK,
        plan,
        Extent(epochs, 5e-3, 1e-2),
        lambda pixels, targets: TASK.loss(net(pixels), targets),
        seed=4,
    )


def run(one: Phase, steps: int) -> None:
    for _ in range(steps):
        one.advance()


@pytest.mark.parametrize("stop", [0, 1, 5, 6, 11])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_phase_that_goes_on_is_the_one_that_never_stopped(stop: int, average: float) -> None:
    whole = phase(average=average, mirror=True)
    run(whole, 13)
    stopped = phase(average=average, mirror=True)
    run(stopped, stop)
    kept = {name: value.clone() for name, value in stopped.tensors().items()}
    going = phase(average=average, mirror=True)
    going.restore(kept, stopped.step, stopped.total_loss)
    run(going, 13 - stop)
    assert going.step == whole.step and going.mean_loss == whole.mean_loss
    for one in (whole, going):
        one.finish()
    found = whole.tensors(), going.tensors()
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_every_image_is_seen_once_an_epoch_and_another_epoch_has_another_order() -> None:
    seen: list[torch.Tensor] = []
    one = phase(batch=9)
    one.plan = replace(one.plan, shift=0.0)
    one.loss = lambda pixels, targets: seen.append(pixels) or next(one.network.parameters()).sum()  # type: ignore[func-returns-value]
    run(one, 2 * one.steps_an_epoch)
    first, second = (torch.cat(seen[start : start + one.steps_an_epoch]) for start in (0, one.steps_an_epoch))
    assert len(first) == len(one.data) // 9 * 9
    assert len(np.unique(first.numpy(), axis=0)) == len(np.unique(second.numpy(), axis=0)) == len(first)
    assert not torch.equal(first, second)


def test_targets_that_depend_on_the_place_are_not_moved() -> None:
    class Place(Classification):
        keeps_targets_when_shifted = False  # type: ignore[misc]

    one, seen = phase(mirror=True), []
    one.objective = Place()
    one.loss = lambda pixels, targets: seen.append(pixels) or next(one.network.parameters()).sum()  # type: ignore[func-returns-value]
    one.advance()
    images = {image.tobytes() for image in one.data.images}
    assert all(image.numpy().tobytes() in images for image in seen[0])


def test_the_average_is_what_the_phase_ends_with() -> None:
    plain, averaged = phase(), phase(average=0.5)
    for one in (plain, averaged):
        run(one, 9)
    assert averaged.average is not None
    name = "head.linear.weight"
    assert torch.equal(plain.network.state_dict()[name], averaged.network.state_dict()[name])
    with averaged.average.applied():
        inside = averaged.network.state_dict()[name].clone()
    assert torch.equal(plain.network.state_dict()[name], averaged.network.state_dict()[name])
    averaged.finish()
    assert torch.equal(averaged.network.state_dict()[name], inside)
    assert not torch.equal(plain.network.state_dict()[name], inside)


@pytest.mark.parametrize("steps", [1, 2, 5, 100])
def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing(steps: int) -> None:
    rates = [rate_at(step, steps, 0.5, 0.2) for step in range(steps)]
    top = rates.index(max(rates))
    assert 0 < min(rates) and max(rates) <= 0.5
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)
    if steps == 100:
        assert top == 20 and max(rates) == 0.5 and rates[-1] < 1e-3
        assert math.isclose(rates[60], 0.25)


def test_weights_decay_and_biases_do_not() -> None:
    one = phase()
    decaying, others = one.optimizer.param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (1e-2, 0.0)
    assert {values.ndim for values in others["params"]} == {1}
    assert len(decaying["params"]) + len(others["params"]) == len(list(one.network.parameters()))


def test_probing_the_time_leaves_the_weights_as_they_were() -> None:
    one = phase()
    before = {name: values.clone() for name, values in one.network.state_dict().items()}
    assert seconds_per_epoch(one) > 0
    assert all((values == before[name]).all() for name, values in one.network.state_dict().items())


def test_divergence_is_one_sentence() -> None:
    one = phase()
    with torch.no_grad():
        one.network.get_parameter("head.linear.weight").fill_(float("nan"))
    with pytest.raises(InputError, match="training diverged in epoch 1"):
        one.advance()


def test_neurons_that_fell_silent_because_weights_diverged_are_found_as_the_epoch_ends() -> None:
    one = phase()
    with torch.no_grad():
        one.network.get_parameter("nodes.stem.convolutions.0.convolution.weight")[0].fill_(float("nan"))
    run(one, one.steps_an_epoch - 1)
    with pytest.raises(InputError, match="training diverged in epoch 1"):
        one.advance()


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
def test_what_a_phase_goes_on_from_goes_where_its_network_is() -> None:
    begun = phase(average=0.9)
    run(begun, 1)
    one = phase(average=0.9)
    elsewhere = Phase(
        "float", one.network.to("meta"), one.data, TASK, one.plan, one.extent, one.loss, seed=4
    )  # without data, as a device that is not the CPU
    elsewhere.restore(begun.tensors(), begun.step, begun.total_loss)
    assert elsewhere.average is not None
    moments = [
        (state["step"].device.type, state["exp_avg"].device.type, state["exp_avg_sq"].device.type)
        for state in elsewhere.optimizer.state.values()
    ]
    assert set(moments) == {("cpu", "meta", "meta")}
    assert {values.device.type for values in elsewhere.average.values.values()} == {"meta"}
