"""Bytes of ``model.onnx``, part by part as ``exporters.onnx`` writes it, before it exists.

A file's size is a sum over operators and constants (``toolchain.cost.onnx_parts``) that depends on nothing but
shapes, the lengths of names, and ``has_int4``: whether it may have weights in INT4 (``toolchain.cost.onnx_weights``).
Only what ``toolchain.cost.facts`` counts is not known to the byte.

``model_step.onnx`` has a single time step, and the state as inputs and outputs, which take fewer bytes than a
second step would: a network of one step counts as one of two.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost import onnx_weights
from toolchain.cost.amounts import Amount, Map, choose, indicator, larger
from toolchain.cost.facts import neurons_characters
from toolchain.cost.neurons import FanIn, Neurons
from toolchain.cost.onnx_parts import CONVOLUTION, POOLING, attribute, extent, operator, tensor, varint
from toolchain.cost.onnx_weights import FLOAT_BYTES, TO

STEP = len(".t0")
"""What the name of a value ends in that each time step has anew."""

INT64_BYTES = 8

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
        + _by_channel(scale, channels)
        + _by_channel(bias, channels)
        + fan_in.frames * frame
        + _firing(node, current)
    )


def spike_node(node: Neurons, fan_in: FanIn, has_int4: bool) -> Amount:
    """A node that sums the currents of spikes."""
    name, channels = node.name, node.shape.channels
    convolved, pools, skips = fan_in.convolved, fan_in.pools, fan_in.skips
    edge = name + len(".0") + (fan_in.edges > 10) + (fan_in.edges > 100)
    part, total = edge + len(".sums") + STEP, edge + len(".total") + STEP
    bias, one, window = (name + len(text) for text in (".bias", ".one", ".window"))
    source, weight = len(".spikes") + STEP, edge + len(".weight.float")
    wide = extent(channels)
    # The first convolution or pool adds the bias too; where there is none, an operator of its own does.
    carried = indicator(convolved + pools > 0)
    several = indicator(fan_in.edges > 1)
    current = part + larger(several, 1 - carried)
    pooling = attribute("kernel_shape", 2) + attribute("pads", 4) + attribute("group") + wide - 2
    more = fan_in.longest + 2 + bias
    step = (
        fan_in.names
        + convolved * operator("Conv", (source, weight), part, CONVOLUTION, more)
        + pools * operator("Conv", (source, window), part, pooling, more)
        + skips * operator("Mul", (source, one), part, 0, fan_in.longest)
        + several * operator("Add", (part, part), total)
        + larger(fan_in.edges - 2, 0) * operator("Add", (total, part), total)
        + carried * (2 + bias)
        + (1 - carried) * operator("Add", (part + several, bias), current)
    )
    return (
        _weights(node, fan_in, edge, has_int4)
        + carried * tensor(bias, wide, FLOAT_BYTES * channels)
        + (1 - carried) * _by_channel(bias, channels)
        + (skips > 0) * _by_channel(one, channels)
        + (pools > 0) * tensor(window, wide + 3 * 2, 9 * FLOAT_BYTES * channels)
        + _steps(node.dynamics.time_steps) * step
        + _firing(node, current)
    )


def or_pool_node(name: Amount, source: Amount, time_steps: Amount) -> Amount:
    """A node that pools spikes by two."""
    spikes = len(".spikes") + STEP
    return _steps(time_steps) * operator("MaxPool", (source + spikes,), name + spikes, POOLING)


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
    steps, spikes, added = _steps(time_steps), source + len(".spikes") + STEP, len("spike_counts.next") + STEP
    axes, weight, bias, sums = (name + len(text) for text in (".axes", ".weight", ".bias", ".sums"))
    counted = name + len(".features") + STEP
    step = counts * operator("ReduceSum", (spikes, axes), counted, attribute("keepdims"))
    step = step + (1 - counts) * operator("Flatten", (spikes,), counted, attribute("axis"))
    add = operator("Add", (added, counted), added)
    outputs = 1 + varint(classes)
    stored = onnx_weights.stored(weight, outputs, 1, features, classes, bits, name, has_int4)
    return (
        counts * tensor(axes, 2, 2 * INT64_BYTES)
        + stored.parts
        + onnx_weights.constants_bytes(name, outputs + 2, classes, stored.packed, stored.nibbles)
        + tensor(bias, extent(classes), FLOAT_BYTES * classes)
        + steps * (step + add)
        # The first step has nothing to add to, and the second adds to what the first one counted.
        - add
        + counted
        - added
        + operator("Gemm", (added, weight + len(".float"), bias), sums, attribute("transB"))
        + operator("Cast", (sums,), len("scores"), TO)
    )


def whole_network(name: int, pixels: Map, frames: int, classes: int, characters: int) -> Amount:
    """The input, called so, with what takes frames apart, and the output; ``characters`` say what they mean."""
    extents = sum(varint(each) for each in (*pixels, classes))
    cast = operator("Cast", (len("image"),), name + len(".pixels"), TO)
    apart: Amount = 0
    if frames > 1:
        index = name + len(".index") + STEP
        take = operator(
            "Gather", (name + len(".pixels"), index), name + len(".frame") + STEP, attribute("axis")
        )
        apart = frames * (tensor(index, 0, INT64_BYTES) + take) + 3 + varint(frames)
    return cast + apart + extents + 2 * varint(characters) + characters


def file_bytes(parts: Amount) -> Amount:
    """A file of these parts, of which one message has the network and two what is said of its nodes."""
    return _FRAME + 3 * varint(parts) + parts


def _firing(node: Neurons, current: Amount) -> Amount:
    """Leak, spikes and reset where the current has a name of this length, and what the facts say of the node."""
    name, dynamics = node.name, node.dynamics
    steps = _steps(dynamics.time_steps)
    threshold, leak = name + len(".threshold"), name + len(".leak")
    fired, spikes, drop = (name + len(text) + STEP for text in (".fired", ".spikes", ".drop"))
    kept, floor, leaked = (name + len(text) + STEP for text in (".shifted", ".floor", ".leaked"))
    charged, after = name + len(".charged") + STEP, name + len(".potential.next") + STEP
    decayed = choose(dynamics.leaks > 0, choose(dynamics.subtracts > 0, leaked, floor), after)
    leaking = operator("Mul", (after, leak), kept) + operator("Floor", (kept,), floor)
    charge = (
        dynamics.leaks * leaking
        + dynamics.subtracts * operator("Sub", (after, floor), leaked)
        + operator("Add", (decayed, current), charged)
    )

    def fire(potential: Amount) -> Amount:
        return operator("GreaterOrEqual", (potential, threshold), fired)

    def reset(potential: Amount) -> Amount:
        by = choose(dynamics.zeroes > 0, potential, threshold)
        return operator("Mul", (spikes, by), drop) + operator("Sub", (potential, drop), after)

    return (
        _by_channel(threshold, node.shape.channels)
        + dynamics.leaks * tensor(leak, 0, FLOAT_BYTES)
        + steps * operator("Cast", (fired,), spikes, TO)
        # A potential begins as the current; after the last step nobody reads it.
        + fire(current)
        + reset(current)
        + (steps - 1) * (charge + fire(charged))
        + (steps - 2) * reset(charged)
        + neurons_characters(node)
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


def _steps(time_steps: Amount) -> Amount:
    return larger(time_steps, 2)


def _by_channel(name: Amount, channels: Amount) -> Amount:
    return tensor(name, extent(channels) + 3 * 2, FLOAT_BYTES * channels)
