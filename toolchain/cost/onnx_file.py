"""Bytes of ``model.onnx``, part by part as ``exporters.onnx`` writes it, before it exists.

A file's size is a sum over operators and constants (``toolchain.cost.onnx_parts``) that depends on nothing but
shapes and the lengths of names. Only what ``toolchain.cost.facts`` counts is not known to the byte.

``model_step.onnx`` has a single time step, and the state as inputs and outputs, which take fewer bytes than a
second step would: a network of one step counts as one of two.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost.amounts import Amount, Map, choose, indicator, larger
from toolchain.cost.facts import neurons_characters
from toolchain.cost.neurons import FanIn, Neurons
from toolchain.cost.onnx_parts import CONVOLUTION, POOLING, attribute, extent, operator, tensor, varint

STEP = len(".t0")
"""What the name of a value ends in that each time step has anew."""

FLOAT_BYTES, INT64_BYTES = 4, 8

MIN_PACKED_WEIGHTS = 4096
"""Fewest weights that a file packs: the operators that unpack them take up to 3 KB."""

_TO = attribute("to")

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
        _weights(node, fan_in, edge)
        + tensor(half, extent(channels), FLOAT_BYTES * channels)
        + _by_channel(scale, channels)
        + _by_channel(bias, channels)
        + fan_in.frames * frame
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
        _weights(node, fan_in, edge)
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
    bits: Amount = 8,
) -> Amount:
    """The read-out; ``counts``: 1 if it reads spikes that are counted over space, 0 if each neuron's."""
    steps, spikes, added = _steps(time_steps), source + len(".spikes") + STEP, len("spike_counts.next") + STEP
    axes, weight, bias, sums = (name + len(text) for text in (".axes", ".weight", ".bias", ".sums"))
    counted = name + len(".features") + STEP
    step = counts * operator("ReduceSum", (spikes, axes), counted, attribute("keepdims"))
    step = step + (1 - counts) * operator("Flatten", (spikes,), counted, attribute("axis"))
    add = operator("Add", (added, counted), added)
    return (
        counts * tensor(axes, 2, 2 * INT64_BYTES)
        + _stored(weight, 1 + varint(classes), 1, features, classes, bits, name)
        + packs(classes * features, features, bits)
        * _unpacking(name, 1 + varint(classes) + 2, FLOAT_BYTES * classes)
        + tensor(bias, extent(classes), FLOAT_BYTES * classes)
        + steps * (step + add)
        # The first step has nothing to add to, and the second adds to what the first one counted.
        - add
        + counted
        - added
        + operator("Gemm", (added, weight + len(".float"), bias), sums, attribute("transB"))
        + operator("Cast", (sums,), len("scores"), _TO)
    )


def whole_network(name: int, pixels: Map, frames: int, classes: int, characters: int) -> Amount:
    """The input, called so, with what takes frames apart, and the output; ``characters`` say what they mean."""
    extents = sum(varint(each) for each in (*pixels, classes))
    cast = operator("Cast", (len("image"),), name + len(".pixels"), _TO)
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
        + steps * operator("Cast", (fired,), spikes, _TO)
        # A potential begins as the current; after the last step nobody reads it.
        + fire(current)
        + reset(current)
        + (steps - 1) * (charge + fire(charged))
        + (steps - 2) * reset(charged)
        + neurons_characters(node)
    )


def _weights(node: Neurons, fan_in: FanIn, edge: Amount) -> Amount:
    """Weights of all convolutions, each with the operators that give their float32 values."""
    name, channels, bits = edge + len(".weight"), node.shape.channels, fan_in.bits
    total: Amount = 0
    packed: Amount = 0
    for each in fan_in.convolutions:
        out = extent(channels) + 2 * 2
        stored = _stored(name, out, each.area, each.channels, channels, bits, node.name)
        total = total + each.number * stored
        packed = packed + each.number * packs(each.area * each.channels * channels, each.channels, bits)
    constants = _unpacking(node.name, extent(channels) + 3 * 2, FLOAT_BYTES * channels)
    return total + indicator(packed > 0) * constants


def packs(weights: Amount, inputs: Amount, bits: Amount) -> Amount:
    """1 if so many weights, of so many inputs, are stored in ``bits`` bits in a file, 0 if in 8.

    They are if that takes less, and the inputs fill whole bytes.
    """
    return indicator((bits < 8) & (weights >= MIN_PACKED_WEIGHTS) & (inputs * bits % 8 == 0))


def _stored(
    name: Amount, extents: Amount, area: int, inputs: Amount, out: Amount, bits: Amount, node: Amount
) -> Amount:
    """Weights and what makes float32 of them; ``extents`` are the bytes of those but the inputs'."""
    weights = area * inputs * out
    packed, held = packs(weights, inputs, bits), 8 // bits
    kept = choose(packed > 0, bits, 8)
    held_inputs = inputs * kept // 8
    constant = tensor(name, extents + 1 + varint(held_inputs), weights * kept // 8)
    values = name + len(".float")
    whole = operator("Cast", (name,), values, _TO)
    inverse, half, step = (node + len(text) for text in (".inverse", ".half", ".step"))
    scaled, rest, code = (name + len(text) for text in (".0.scaled", ".0.rest", ".0.code"))
    first, joined, centred = name + len(".bytes"), name + len(".codes"), name + len(".centred")
    places = held * (2 + code)
    # The first place reads the bytes, the others what is left of them.
    unpacked = (
        operator("Cast", (name,), first, _TO)
        + operator("Mul", (first, inverse), scaled)
        + (held - 2) * operator("Mul", (rest, inverse), scaled)
        + (held - 1) * (operator("Floor", (scaled,), rest) + operator("Sub", (scaled, rest), code))
        + operator("Mul", (rest, inverse), code)
        + operator("Concat", (), joined, attribute("axis"), places)
        + places
        + operator("Sub", (joined, half), centred)
        + operator("Mul", (centred, step), values)
    )
    return constant + choose(packed > 0, unpacked, whole)


def _unpacking(node: Amount, extents: Amount, step_bytes: Amount) -> Amount:
    """The constants that unpack all weights of a node."""
    inverse, half, step = (node + len(text) for text in (".inverse", ".half", ".step"))
    return tensor(inverse, 0, FLOAT_BYTES) + tensor(half, 0, FLOAT_BYTES) + tensor(step, extents, step_bytes)


def _steps(time_steps: Amount) -> Amount:
    return larger(time_steps, 2)


def _by_channel(name: Amount, channels: Amount) -> Amount:
    return tensor(name, extent(channels) + 3 * 2, FLOAT_BYTES * channels)
