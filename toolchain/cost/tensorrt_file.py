"""Bytes of the files for TensorRT, part by part as ``exporters.onnx.tensorrt`` writes them, before they exist.

``int8`` says whether spikes and the weights that convolve them are quantized; all other weights are float32.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost.amounts import Amount, Map, indicator
from toolchain.cost.neurons import FanIn, Neurons
from toolchain.cost.onnx_network import (
    FLOAT_BYTES,
    STEP,
    by_channel,
    counting,
    frames_apart,
    message_bytes,
    running,
    spike_edges,
)
from toolchain.cost.onnx_parts import CONVOLUTION, attribute, extent, operator, tensor, varint

_IMAGE = len("image")
_ZERO, _ONE, _ZERO_POINT = len("clip.0"), len("clip.1"), len("spike.zero_point")

_FRAME = 557 + 2 * len(__version__)
"""What every file has: the operator set, a description, names, the bounds of Clip, and facts less what differs."""


def pixel_node(node: Neurons, fan_in: FanIn, int8: bool) -> Amount:
    """A node that convolves pixels; its current is computed once for each frame."""
    name, channels = node.name, node.shape.channels
    edge, bias, current = name + len(".0"), name + len(".bias"), name + len(".current") + STEP
    half, weight = edge + len(".half"), edge + len(".weight")
    sums, rounded = edge + len(".sums") + STEP, edge + len(".rounded") + STEP
    source = fan_in.names + len(".frame") + STEP if fan_in.frames > 1 else _IMAGE
    frame = (
        operator("Conv", (source, weight, half), sums, CONVOLUTION)
        + operator("Floor", (sums,), rounded)
        + operator("Add", (rounded, bias), current)
    )
    return (
        _kernels(fan_in, weight, channels, FLOAT_BYTES)
        + tensor(half, extent(channels), FLOAT_BYTES * channels)
        + by_channel(bias, channels)
        + fan_in.frames * frame
        + _firing(node, current, int8)
    )


def spike_node(node: Neurons, fan_in: FanIn, int8: bool) -> Amount:
    """A node that sums the currents of spikes."""
    channels, suffix = node.shape.channels, ".weight.float" if int8 else ".weight"
    edges = spike_edges(node, fan_in, len(suffix))
    weight = edges.name + len(".weight")
    parts: Amount = edges.parts + _kernels(fan_in, weight, channels, 1 if int8 else FLOAT_BYTES)
    if int8:
        unit, zero_point = node.name + len(".unit"), node.name + len(".zero_point")
        whole = operator(
            "DequantizeLinear", (weight, unit, zero_point), weight + len(".float"), attribute("axis")
        )
        needed = tensor(unit, extent(channels), FLOAT_BYTES * channels) + tensor(
            zero_point, extent(channels), channels
        )
        parts = parts + fan_in.convolved * whole
        parts = parts + indicator(fan_in.convolved > 0) * needed
    return parts + _firing(node, edges.current, int8)


def head_node(
    name: int, source: Amount, time_steps: Amount, classes: int, features: Amount, counts: Amount
) -> Amount:
    """The read-out; ``counts``: 1 if it reads spikes that are counted over space, 0 if each neuron's."""
    counted = counting(name, source, time_steps, counts)
    weight, bias = name + len(".weight"), name + len(".bias")
    extents = 1 + varint(classes) + 1 + varint(features)
    return (
        counted.parts
        + tensor(weight, extents, FLOAT_BYTES * classes * features)
        + tensor(bias, extent(classes), FLOAT_BYTES * classes)
        + operator("Gemm", (counted.name, weight, bias), len("values"), attribute("transB"))
    )


def whole_network(name: int, pixels: Map, frames: int, classes: int, characters: int, int8: bool) -> Amount:
    """The input, called so, with what takes frames apart, and the output; ``characters`` say what they mean."""
    extents = sum(varint(each) for each in (*pixels, classes))
    quantizing = tensor(_ZERO_POINT, 0, 1) if int8 else 0
    return frames_apart(name, _IMAGE, frames) + extents + quantizing + 2 * varint(characters) + characters


def file_bytes(parts: Amount) -> Amount:
    """A file of these parts."""
    return _FRAME + message_bytes(parts)


def _kernels(fan_in: FanIn, name: Amount, channels: Amount, weight_bytes: int) -> Amount:
    """Weights of all convolutions."""
    total: Amount = 0
    for each in fan_in.convolutions:
        extents = extent(channels) + 1 + varint(each.channels) + 2 * 2
        content = weight_bytes * each.area * each.channels * channels
        total = total + each.number * tensor(name, extents, content)
    return total


def _firing(node: Neurons, current: Amount, int8: bool) -> Amount:
    """All that neurons do with a current whose name has this length."""
    name, dynamics = node.name, node.dynamics
    margin, threshold, excess = (name + len(text) for text in (".margin", ".threshold", ".excess"))
    spikes, fired, quantized = (name + len(text) + STEP for text in (".spikes", ".fired", ".quantized"))
    given = fired if int8 else spikes
    firing = operator("Clip", (excess + STEP, _ZERO, _ONE), given)
    if int8:
        firing = (
            firing
            + operator("QuantizeLinear", (fired, _ONE, _ZERO_POINT), quantized)
            + operator("DequantizeLinear", (quantized, _ONE, _ZERO_POINT), spikes)
        )

    def fire(potential: Amount) -> Amount:
        return operator("Sub", (potential, margin), excess + STEP)

    resets = indicator(dynamics.time_steps > 1) * (1 - dynamics.zeroes)
    return (
        by_channel(margin, node.shape.channels)
        + resets * by_channel(threshold, node.shape.channels)
        + dynamics.time_steps * firing
        + running(node, current, given, fire)
    )
