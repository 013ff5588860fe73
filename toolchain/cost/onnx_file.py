"""Bytes of ``model.onnx``, part by part as ``exporters.onnx`` writes it, before it exists.

Only what ``toolchain.cost.facts`` counts is not known to the byte. ``has_int4`` says whether the file may have
weights in INT4 (``toolchain.cost.onnx_weights``).

``model_step.onnx`` has a single time step, and the state as inputs and outputs, which take fewer bytes than a
second step would: a network of one step counts as one of two.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost import onnx_network, onnx_weights
from toolchain.cost.amounts import Amount, Map, larger
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
from toolchain.cost.onnx_weights import TO

_FRAME = 505 + 2 * len(__version__)
"""What every file has: the operator set, a description, names, and facts less what differs in them."""


def pixel_node(node: Neurons, fan_in: FanIn) -> Amount:
    """A node that convolves pixels; its current is computed once for each frame."""
    name, channels = node.name, node.shape.channels
    edge, bias, current = name + len(".0"), name + len(".bias"), name + len(".current") + STEP
    half, scale, weight = (edge + len(text) for text in (".half", ".scale", ".weight.float"))
    sums, scaled, rounded = (edge + len(text) + STEP for text in (".sums", ".scaled", ".rounded"))
    source = fan_in.names + (len(".frame") + STEP if fan_in.frames > 1 else len(".pixels"))
    frame = (
        operator("Conv", (source, weight, half), sums, CONVOLUTION)
        + operator("Mul", (sums, scale), scaled)
        + operator("Floor", (scaled,), rounded)
        + operator("Add", (rounded, bias), current)
    )
    return (
        _weights(node, fan_in, edge, False)
        + tensor(half, extent(channels), FLOAT_BYTES * channels)
        + by_channel(scale, channels)
        + by_channel(bias, channels)
        + fan_in.frames * frame
        + _firing(_in_two_steps(node), current)
    )


def spike_node(node: Neurons, fan_in: FanIn, has_int4: bool) -> Amount:
    """A node that sums the currents of spikes."""
    node = _in_two_steps(node)
    edges = spike_edges(node, fan_in, len(".weight.float"))
    return edges.parts + _weights(node, fan_in, edges.name, has_int4) + _firing(node, edges.current)


def or_pool_node(name: Amount, source: Amount, time_steps: Amount) -> Amount:
    """A node that pools spikes by two."""
    return onnx_network.or_pool_node(name, source, larger(time_steps, 2))


def head_node(
    name: int,
    source: Amount,
    time_steps: Amount,
    classes: int,
    features: Amount,
    counts: Amount,
    bits: Amount,
    has_int4: bool,
) -> Amount:
    """The read-out; ``counts``: 1 if it reads spikes that are counted over space, 0 if each neuron's."""
    counted = counting(name, source, larger(time_steps, 2), counts)
    weight, bias, sums = (name + len(text) for text in (".weight", ".bias", ".sums"))
    outputs = 1 + varint(classes)
    stored = onnx_weights.stored(weight, outputs, 1, features, classes, bits, name, has_int4)
    return (
        counted.parts
        + stored.parts
        + onnx_weights.constants_bytes(name, outputs + 2, classes, stored.packed, stored.nibbles)
        + tensor(bias, extent(classes), FLOAT_BYTES * classes)
        + operator("Gemm", (counted.name, weight + len(".float"), bias), sums, attribute("transB"))
        + operator("Cast", (sums,), len("scores"), TO)
    )


def whole_network(name: int, pixels: Map, frames: int, classes: int, characters: int) -> Amount:
    """The input, called so, with what takes frames apart, and the output; ``characters`` say what they mean."""
    extents = sum(varint(each) for each in (*pixels, classes))
    cast = operator("Cast", (len("image"),), name + len(".pixels"), TO)
    apart = frames_apart(name, name + len(".pixels"), frames)
    return cast + apart + extents + 2 * varint(characters) + characters


def file_bytes(parts: Amount) -> Amount:
    """A file of these parts."""
    return _FRAME + message_bytes(parts)


def _firing(node: Neurons, current: Amount) -> Amount:
    """All that neurons do with a current whose name has this length."""
    name, steps = node.name, node.dynamics.time_steps
    threshold, fired, spikes = name + len(".threshold"), name + len(".fired"), name + len(".spikes")

    def fire(potential: Amount) -> Amount:
        return operator("GreaterOrEqual", (potential, threshold), fired + STEP)

    return (
        by_channel(threshold, node.shape.channels)
        + steps * operator("Cast", (fired + STEP,), spikes + STEP, TO)
        + running(node, current, spikes + STEP, fire)
    )


def _weights(node: Neurons, fan_in: FanIn, edge: Amount, has_int4: bool) -> Amount:
    """Weights of all convolutions, each with the operators that give their float32 values."""
    name, channels = edge + len(".weight"), node.shape.channels
    total: Amount = 0
    packed: Amount = 0
    nibbles: Amount = 0
    for each in fan_in.convolutions:
        stored = onnx_weights.stored(
            name,
            extent(channels) + 2 * 2,
            each.area,
            each.channels,
            channels,
            fan_in.bits,
            node.name,
            has_int4,
        )
        total = total + each.number * stored.parts
        packed = packed + each.number * stored.packed
        nibbles = nibbles + each.number * stored.nibbles
    extents = extent(channels) + 3 * 2
    return total + onnx_weights.constants_bytes(node.name, extents, channels, packed, nibbles)


def _in_two_steps(node: Neurons) -> Neurons:
    """``node`` with at least two time steps, which take no less than the step form's state."""
    dynamics = node.dynamics
    return node._replace(dynamics=dynamics._replace(time_steps=larger(dynamics.time_steps, 2)))
