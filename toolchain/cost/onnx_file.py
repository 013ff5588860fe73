"""Bytes of ``model.onnx``, part by part as ``exporters.onnx`` writes it, before it exists.

An ONNX file is one protobuf message: each field is a tag, for texts and messages their length, and the content
(protobuf.dev, Encoding). So its size is a sum over operators and constants that depends on nothing but shapes and
the lengths of names. Only what ``toolchain.cost.facts`` counts is not known to the byte.

``model_step.onnx`` has a single time step, and the state as inputs and outputs, which take fewer bytes than a
second step would: a network of one step counts as one of two.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost.amounts import Amount, Map, choose, indicator, larger
from toolchain.cost.facts import neurons_characters
from toolchain.cost.neurons import FanIn, Neurons

STEP = len(".t0")
"""What the name of a value ends in that each time step has anew."""

FLOAT_BYTES, INT64_BYTES = 4, 8
_INT = 9
"""An attribute that is one number below 128, without its name; each of several numbers takes two bytes more."""

_TO, _AXIS, _KEEP, _TRANSPOSE = (_INT + len(name) for name in ("to", "axis", "keepdims", "transB"))
_KERNEL, _STRIDES, _PADS = (7 + len("kernel_shape") + 4, 7 + len("strides") + 4, 7 + len("pads") + 8)

_FRAME = 505 + 2 * len(__version__)
"""What every file has: the operator set, a description, names, and facts less what differs in them."""


def pixel_node(node: Neurons, fan_in: FanIn) -> Amount:
    """A node that convolves pixels; its current is computed once."""
    name, channels = node.name, node.shape.channels
    edge, bias, current = name + len(".0"), name + len(".bias"), name + len(".current") + STEP
    half, scale, weight = (edge + len(text) for text in (".half", ".scale", ".weight.float"))
    sums, scaled, rounded = (edge + len(text) + STEP for text in (".sums", ".scaled", ".rounded"))
    return (
        _weights(node, fan_in, edge)
        + _tensor(half, _extent(channels), FLOAT_BYTES * channels)
        + _by_channel(scale, channels)
        + _by_channel(bias, channels)
        + _operator("Conv", (fan_in.names + len(".pixels"), weight, half), sums, _KERNEL + _STRIDES + _PADS)
        + _operator("Mul", (sums, scale), scaled)
        + _operator("Floor", (scaled,), rounded)
        + _operator("Add", (rounded, bias), current)
        + _firing(node, current)
    )


def spike_node(node: Neurons, fan_in: FanIn) -> Amount:
    """A node that sums the currents of spikes."""
    name, channels = node.name, node.shape.channels
    convolved, pools, skips = fan_in.convolved, fan_in.pools, fan_in.skips
    edge = name + len(".0") + (fan_in.edges > 10) + (fan_in.edges > 100)
    part, total = edge + len(".sums") + STEP, edge + len(".total") + STEP
    bias, one, window = (name + len(text) for text in (".bias", ".one", ".window"))
    source, weight = len(".spikes") + STEP, edge + len(".weight.float")
    wide = _extent(channels)
    # The first convolution or pool adds the bias too; where there is none, an operator of its own does.
    carried = indicator(convolved + pools > 0)
    several = indicator(fan_in.edges > 1)
    current = part + larger(several, 1 - carried)
    pooling = _KERNEL + _PADS + _INT + len("group") + wide - 2
    more = fan_in.longest + 2 + bias
    step = (
        fan_in.names
        + convolved * _operator("Conv", (source, weight), part, _KERNEL + _STRIDES + _PADS, more)
        + pools * _operator("Conv", (source, window), part, pooling, more)
        + skips * _operator("Mul", (source, one), part, 0, fan_in.longest)
        + several * _operator("Add", (part, part), total)
        + larger(fan_in.edges - 2, 0) * _operator("Add", (total, part), total)
        + carried * (2 + bias)
        + (1 - carried) * _operator("Add", (part + several, bias), current)
    )
    return (
        _weights(node, fan_in, edge)
        + carried * _tensor(bias, wide, FLOAT_BYTES * channels)
        + (1 - carried) * _by_channel(bias, channels)
        + (skips > 0) * _by_channel(one, channels)
        + (pools > 0) * _tensor(window, wide + 3 * 2, 9 * FLOAT_BYTES * channels)
        + _steps(node.dynamics.time_steps) * step
        + _firing(node, current)
    )


def or_pool_node(name: Amount, source: Amount, time_steps: Amount) -> Amount:
    """A node that pools spikes by two."""
    spikes = len(".spikes") + STEP
    return _steps(time_steps) * _operator("MaxPool", (source + spikes,), name + spikes, _KERNEL + _STRIDES)


def head_node(
    name: int, source: Amount, time_steps: Amount, classes: int, features: Amount, counts: Amount
) -> Amount:
    """The read-out; ``counts``: 1 if it reads spikes that are counted over space, 0 if each neuron's."""
    steps, spikes, added = _steps(time_steps), source + len(".spikes") + STEP, len("spike_counts.next") + STEP
    axes, weight, bias, sums = (name + len(text) for text in (".axes", ".weight", ".bias", ".sums"))
    counted = name + len(".features") + STEP
    step = counts * _operator("ReduceSum", (spikes, axes), counted, _KEEP)
    step = step + (1 - counts) * _operator("Flatten", (spikes,), counted, _AXIS)
    add = _operator("Add", (added, counted), added)
    return (
        counts * _tensor(axes, 2, 2 * INT64_BYTES)
        + _tensor(weight, 2 + _varint(classes) + _varint(features), classes * features)
        + _operator("Cast", (weight,), weight + len(".float"), _TO)
        + _tensor(bias, _extent(classes), FLOAT_BYTES * classes)
        + steps * (step + add)
        # The first step has nothing to add to, and the second adds to what the first one counted.
        - add
        + counted
        - added
        + _operator("Gemm", (added, weight + len(".float"), bias), sums, _TRANSPOSE)
        + _operator("Cast", (sums,), len("scores"), _TO)
    )


def whole_network(name: int, pixels: Map, classes: int, characters: int) -> Amount:
    """The input, called so, and the output; ``characters`` say what they mean."""
    extents = sum(_varint(extent) for extent in (*pixels, classes))
    cast = _operator("Cast", (len("image"),), name + len(".pixels"), _TO)
    return cast + extents + 2 * _varint(characters) + characters


def file_bytes(parts: Amount) -> Amount:
    """A file of these parts, of which one message has the network and two what is said of its nodes."""
    return _FRAME + 3 * _varint(parts) + parts


def _firing(node: Neurons, current: Amount) -> Amount:
    """Leak, spikes and reset where the current has a name of this length, and what the facts say of the node."""
    name, dynamics = node.name, node.dynamics
    steps = _steps(dynamics.time_steps)
    threshold, leak = name + len(".threshold"), name + len(".leak")
    fired, spikes, drop = (name + len(text) + STEP for text in (".fired", ".spikes", ".drop"))
    kept, floor, leaked = (name + len(text) + STEP for text in (".shifted", ".floor", ".leaked"))
    charged, after = name + len(".charged") + STEP, name + len(".potential.next") + STEP
    decayed = choose(dynamics.leaks > 0, choose(dynamics.subtracts > 0, leaked, floor), after)
    leaking = _operator("Mul", (after, leak), kept) + _operator("Floor", (kept,), floor)
    charge = (
        dynamics.leaks * leaking
        + dynamics.subtracts * _operator("Sub", (after, floor), leaked)
        + _operator("Add", (decayed, current), charged)
    )

    def fire(potential: Amount) -> Amount:
        return _operator("GreaterOrEqual", (potential, threshold), fired)

    def reset(potential: Amount) -> Amount:
        by = choose(dynamics.zeroes > 0, potential, threshold)
        return _operator("Mul", (spikes, by), drop) + _operator("Sub", (potential, drop), after)

    return (
        _by_channel(threshold, node.shape.channels)
        + dynamics.leaks * _tensor(leak, 0, FLOAT_BYTES)
        + steps * _operator("Cast", (fired,), spikes, _TO)
        # A potential begins as the current; after the last step nobody reads it.
        + fire(current)
        + reset(current)
        + (steps - 1) * (charge + fire(charged))
        + (steps - 2) * reset(charged)
        + neurons_characters(node)
    )


def _weights(node: Neurons, fan_in: FanIn, edge: Amount) -> Amount:
    """int8 weights of all convolutions, each with the operator that gives their float32 values."""
    stored, channels = edge + len(".weight"), node.shape.channels
    cast = _operator("Cast", (stored,), stored + len(".float"), _TO)
    total: Amount = 0
    for each in fan_in.convolutions:
        extents = _extent(channels) + _extent(each.channels) + 2 * 2
        total = total + each.number * (_tensor(stored, extents, each.area * each.channels * channels) + cast)
    return total


def _steps(time_steps: Amount) -> Amount:
    return larger(time_steps, 2)


def _by_channel(name: Amount, channels: Amount) -> Amount:
    return _tensor(name, _extent(channels) + 3 * 2, FLOAT_BYTES * channels)


def _tensor(name: Amount, extents_bytes: Amount, content_bytes: Amount) -> Amount:
    size = 2 + extents_bytes + 2 + name + 1 + _varint(content_bytes) + content_bytes
    return 1 + _varint(size) + size


def _extent(channels: Amount) -> Amount:
    """An extent up to 4096; one below 128 takes two bytes."""
    return 2 + (channels >= 1 << 7)


def _operator(
    kind: str, inputs: tuple[Amount, ...], output: Amount, attributes: Amount = 0, more: Amount = 0
) -> Amount:
    """An operator that is called like its output; it may have ``more`` bytes that are counted elsewhere."""
    size = 2 + len(kind) + 2 * (2 + output) + attributes
    for name in inputs:
        size = size + 2 + name
    return 1 + _varint(size + more) + size


def _varint(number: Amount) -> Amount:
    """Seven bits of a number a byte; enough for the largest artifact."""
    return 1 + (number >= 1 << 7) + (number >= 1 << 14) + (number >= 1 << 21)
