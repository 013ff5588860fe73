"""A layer that breaks a rule is refused by its index and type, with what is wrong and what to use instead."""

from __future__ import annotations

from typing import Any

import pytest
import snntorch as snn
import torch
from torch import nn

from toolchain.errors import InputError
from toolchain.importing.layers import layers_of
from toolchain.importing.rules import RULES, require_carriable


def neuron(**options: Any) -> snn.Leaky:
    return snn.Leaky(**{"beta": 0.5, "init_hidden": True} | options)


def without_statistics() -> nn.BatchNorm2d:
    return nn.BatchNorm2d(4, track_running_stats=False)


def infinite() -> nn.Linear:
    module = nn.Linear(2, 2)
    nn.init.constant_(module.bias, float("inf"))
    return module


BROKEN = [
    (nn.Conv2d(1, 4, 5, padding=2), "kernel_is_small", "has a 5x5 kernel; use 3x3 or 1x1"),
    (nn.Conv2d(1, 4, (1, 3), padding=(0, 1)), "kernel_is_small", "has a 1x3 kernel"),
    (nn.Conv2d(1, 4, 3, stride=3, padding=1), "stride_is_one_or_two", "has a stride of 3x3; use 1 or 2"),
    (nn.Conv2d(1, 4, 3, stride=(1, 2), padding=1), "stride_is_one_or_two", "has a stride of 1x2"),
    (nn.Conv2d(1, 4, 3), "padding_is_half_the_kernel", "is padded by 0x0; use padding=1"),
    (nn.Conv2d(1, 4, 3, padding="valid"), "padding_is_half_the_kernel", "is padded by 0x0; use padding=1"),
    (
        nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect"),
        "padding_is_half_the_kernel",
        "is padded by 'reflect'; use zeros",
    ),
    (nn.Conv2d(4, 4, 3, padding=1, groups=4), "convolution_is_dense", "has 4 groups; use groups=1"),
    (nn.Conv2d(4, 4, 3, padding=1, dilation=2), "convolution_is_dense", "has a dilation of 2x2; use 1"),
    (nn.MaxPool2d(3), "pooling_of_spikes_halves", "is not MaxPool2d(2)"),
    (nn.MaxPool2d(2, 1), "pooling_of_spikes_halves", "is not MaxPool2d(2)"),
    (nn.MaxPool2d(2, ceil_mode=True), "pooling_of_spikes_halves", "is not MaxPool2d(2)"),
    (nn.MaxPool2d(2, return_indices=True), "pooling_of_spikes_halves", "returns indices"),
    (nn.Flatten(0), "flatten_keeps_images_apart", "flattens other axes"),
    (without_statistics(), "normalization_is_fixed", "keeps no running statistics"),
    (neuron(beta=torch.tensor([0.5, 0.75])), "leak_is_one_number", "has 2 values of beta"),
    (neuron(threshold=0.0), "threshold_is_positive", "has a threshold that is not above 0"),
    (neuron(threshold=torch.ones(4, 8, 8)), "threshold_is_positive", "has a threshold for each neuron"),
    (neuron(reset_mechanism="none"), "neuron_resets", "has no reset"),
    (neuron(init_hidden=False), "neuron_is_plain", "is called with its potential"),
    (neuron(inhibition=True), "neuron_is_plain", "has inhibition"),
    (neuron(state_quant=torch.round), "neuron_is_plain", "quantizes its state"),
    (neuron(graded_spikes_factor=2.0), "neuron_is_plain", "has graded spikes"),
    (infinite(), "weights_are_finite", "has weights that are infinite"),
    (
        snn.Synaptic(alpha=0.5, beta=0.5),
        "is_known",
        "is not carried over; use a Leaky: the neuron here has one",
    ),
    (snn.Alpha(alpha=0.9, beta=0.5), "is_known", "is not carried over; use a Leaky"),
    (snn.RLeaky(beta=0.5, linear_features=4), "is_known", "is not carried over; use a Leaky: networks here"),
    (snn.Lapicque(beta=0.5), "is_known", "is not carried over; use a Leaky with beta"),
    (nn.ConvTranspose2d(1, 4, 3), "is_known", "is not carried over; use a Conv2d: maps only shrink"),
    (nn.ReLU(), "is_known", "is not carried over; use a Leaky: every map here is spikes"),
    (nn.Hardswish(), "is_known", "is not carried over; use a layer that is, or leave it out"),
]


@pytest.mark.filterwarnings("ignore:Inhibition is an unstable feature")
@pytest.mark.parametrize(("module", "rule", "reason"), BROKEN, ids=lambda value: str(value)[:30])
def test_each_rule_refuses_what_breaks_it(module: nn.Module, rule: str, reason: str) -> None:
    layers = layers_of(nn.Sequential(nn.Identity(), module), "net.py:build")
    broken = {each.__name__ for each in RULES if any(True for _ in each(layers[1]))}
    assert broken == {rule}
    with pytest.raises(InputError) as caught:
        require_carriable(layers, "net.py:build")
    sentence = str(caught.value)
    assert f"layer 1 ({type(module).__name__}) {reason}" in sentence and "\n" not in sentence


def test_every_rule_is_tested_and_documented() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for _, rule, _ in BROKEN}
    assert all(rule.__doc__ for rule in RULES)


def test_all_that_is_wrong_is_said_at_once_with_places_in_nested_models() -> None:
    inner = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), snn.Synaptic(alpha=0.5, beta=0.5))
    with pytest.raises(InputError) as caught:
        require_carriable(layers_of(nn.Sequential(inner, nn.Softmax(1)), "net"), "net")
    for words in ("layer 0.0 (Conv2d)", "layer 0.1 (Synaptic)", "layer 1 (Softmax)"):
        assert words in str(caught.value)


def test_a_layer_that_is_there_twice_is_there_twice() -> None:
    shared = nn.Identity()
    assert [layer.place for layer in layers_of(nn.Sequential(shared, shared), "net")] == ["0", "1"]


def test_a_neuron_that_is_there_twice_has_one_potential_for_two_maps() -> None:
    shared = neuron()
    with pytest.raises(InputError, match=r"layer 1 \(Leaky\) is the same neuron as layer 0"):
        require_carriable(layers_of(nn.Sequential(shared, shared), "net"), "net")


def test_what_is_no_sequence_of_layers() -> None:
    with pytest.raises(InputError, match="net is a Linear, whose forward may do anything"):
        layers_of(nn.Linear(1, 1), "net")
    with pytest.raises(InputError, match="has no layers"):
        layers_of(nn.Sequential(), "net")
