"""Bytes of ``model.tflite``, part by part as ``exporters.tflite`` writes it, before it exists.

A TFLite file is a tree of FlatBuffers tables (flatbuffers.dev, Internals): a table is a word that leads to the list
of its fields, which equal tables share, and a word for each field that has not its default; texts and lists begin
with their length and are filled up to whole words, buffers to 16 bytes. So the file's size is a sum over operators
and constants that depends on nothing but shapes and the lengths of names. Not known to the byte are what
``toolchain.cost.facts`` counts, and the word that may align the zero point of weights, which is counted always.
"""

from __future__ import annotations

from toolchain import __version__
from toolchain.cost.amounts import Amount, Truth, ceiling
from toolchain.cost.facts import neurons_characters
from toolchain.cost.neurons import FanIn, Neurons

STEP = len(".t0")
"""What the name of a value ends in that each time step has anew."""

WORD_BYTES, FLOAT_BYTES, BUFFER_BYTES = 4, 4, 16
_FLOAT, _OTHER, _QUANTIZED = 0, 1, 11
"""Words of a tensor for its type, and for the scale and the zero point of weights."""

_MAP, _MATRIX, _LIST = 4, 2, 1
"""Ranks of tensors."""

_NONE, _EMPTY, _CAST, _SAME, _VALID, _DEPTHWISE, _RESHAPE, _MAX_POOL = 0, 1, 2, 3, 4, 4, 5, 6
"""Words of an operator's options."""

_CODE = 4
"""Words that tell of a kind of operator; further words of some are the list of their options."""

_FRAME = 924 + len(__version__)
"""What every file has: kinds of operators, lists of fields, facts less what differs in them."""


def pixel_node(node: Neurons, fan_in: FanIn) -> Amount:
    """A node that convolves pixels; its current is computed once for each frame."""
    name, channels = node.name, node.shape.channels
    edge = name + len(".0")
    frame = (
        _convolutions(fan_in, edge + len(".sums") + STEP)
        + _operator(2, edge + len(".scaled") + STEP)
        + _operator(1, edge + len(".rounded") + STEP, _NONE)
        + _operator(2, name + len(".current") + STEP)
    )
    return (
        _weights(node, fan_in, edge)
        + _floats(edge + len(".half"), channels)
        + _floats(edge + len(".scale"), channels)
        + _floats(name + len(".bias"), channels)
        + fan_in.frames * frame
        + _firing(node)
    )


def spike_node(node: Neurons, fan_in: FanIn) -> Amount:
    """A node that sums the currents of spikes."""
    name, channels = node.name, node.shape.channels
    pools, skips, biased = fan_in.pools, fan_in.skips, fan_in.convolved + fan_in.pools
    edge = name + len(".0") + (fan_in.edges > 10) + (fan_in.edges > 100)
    part = edge + len(".sums") + STEP
    step = (
        _convolutions(fan_in, part)
        + pools * _operator(3, part, _DEPTHWISE)
        + skips * _operator(2, part)
        + (fan_in.edges - 1) * _operator(2, edge + len(".total") + STEP)
        # Where there is no convolution or pool that adds the bias, an operator of its own does.
        + (biased == 0) * _operator(2, name + len(".current") + STEP)
    )
    return (
        _weights(node, fan_in, edge)
        + _floats(name + len(".bias"), channels)
        + (biased > 1) * _floats(name + len(".zeros"), channels)
        + (skips > 0) * _floats(name + len(".one"), channels)
        + (pools > 0) * _constant(name + len(".window"), _MAP, 9 * FLOAT_BYTES * channels)
        + node.dynamics.time_steps * step
        + _firing(node)
    )


def or_pool_node(name: Amount, time_steps: Amount) -> Amount:
    """A node that pools spikes by two."""
    return time_steps * _operator(1, name + len(".spikes") + STEP, _MAX_POOL)


def head_node(name: int, time_steps: Amount, classes: int, features: Amount, counts: Amount) -> Amount:
    """The read-out; ``counts``: 1 if it reads spikes that are counted over space, 0 if each neuron's."""
    weight, counted = name + len(".weight"), name + len(".features") + STEP
    options = _EMPTY + (1 - counts) * (_RESHAPE - _EMPTY)
    return (
        # The axes to count over, or the shape to flatten to.
        _constant(name + len(".shape"), _LIST, 2 * WORD_BYTES, _OTHER)
        + WORD_BYTES * (_CODE + 2)
        + time_steps * _operator(2, counted, options, _MATRIX)
        + (time_steps - 1) * _operator(2, name + len(".counts") + STEP, _EMPTY, _MATRIX)
        + _constant(weight, _MATRIX, classes * features, _QUANTIZED)
        + _operator(1, weight + len(".float"), _EMPTY, _MATRIX)
        + _constant(name + len(".bias"), _LIST, FLOAT_BYTES * classes)
        + _operator(3, name + len(".sums"), _EMPTY, _MATRIX)
        + _operator(1, len("scores"), _CAST, _MATRIX, _OTHER)
    )


def whole_network(name: int, frames: int, characters: int) -> Amount:
    """The input, called so, as it comes and as float32, with what takes frames apart.

    ``characters`` say what it and the output mean.
    """
    apart: Amount = 0
    if frames > 1:
        index = _constant(name + len(".index") + STEP, _LIST, WORD_BYTES, _OTHER)
        apart = WORD_BYTES * _CODE + frames * (index + _operator(2, name + len(".frame") + STEP))
    image = _tensor(len("image"), _MAP, _OTHER) + _operator(1, name + len(".pixels"), _CAST)
    return image + apart + characters


def file_bytes(parts: Amount, pools: Truth, or_pools: Truth, pads: Truth) -> Amount:
    """A file of these parts; the first operator of some kinds brings more along."""
    margins = _constant(len("margins"), _MATRIX, 8 * WORD_BYTES, _OTHER)
    kinds = pools * (_CODE + 3) + or_pools * (_CODE + 4) + pads * _CODE
    return _FRAME + parts + WORD_BYTES * kinds + pads * margins


def _firing(node: Neurons) -> Amount:
    """Leak, spikes and reset, and what the facts say of the node."""
    name, dynamics = node.name, node.dynamics
    steps = dynamics.time_steps
    leaking = _operator(2, name + len(".shifted") + STEP) + _operator(1, name + len(".floor") + STEP, _NONE)
    between = (
        dynamics.leaks * leaking
        + dynamics.subtracts * _operator(2, name + len(".leaked") + STEP)
        + _operator(2, name + len(".charged") + STEP)
        + _operator(2, name + len(".drop") + STEP)
        + _operator(2, name + len(".reset") + STEP)
    )
    fire = _operator(2, name + len(".fired") + STEP, kind=_OTHER)
    fire = fire + _operator(1, name + len(".spikes") + STEP, _CAST)
    return (
        _floats(name + len(".threshold"), node.shape.channels)
        + dynamics.leaks * _floats(name + len(".leak"), 1)
        + steps * fire
        + (steps - 1) * between
        + neurons_characters(node)
    )


def _weights(node: Neurons, fan_in: FanIn, edge: Amount) -> Amount:
    """int8 weights of all convolutions, each with the operator that gives their float32 values."""
    stored = edge + len(".weight")
    total: Amount = 0
    dequantized = _operator(1, stored + len(".float"))
    for each in fan_in.convolutions:
        values = each.area * each.channels * node.shape.channels
        total = total + each.number * (_constant(stored, _MAP, values, _QUANTIZED) + dequantized)
    return total


def _convolutions(fan_in: FanIn, output: Amount) -> Amount:
    """Convolutions of a time step, some of a padded map; padding that is not the default takes a word."""
    same, valid = _operator(3, output, _SAME), _operator(3, output, _VALID)
    total = fan_in.padded * (valid - same + _operator(2, fan_in.longest + len(".padded") + STEP))
    for each in fan_in.convolutions:
        total = total + each.number * (valid if each.area == 1 else same)
    return total


def _floats(name: Amount, count: Amount) -> Amount:
    return _constant(name, _LIST, FLOAT_BYTES * count)


def _constant(name: Amount, rank: int, content_bytes: Amount, kind: int = _FLOAT) -> Amount:
    """A tensor and its buffer, which has a word in a list, two for its table and one for its length."""
    buffer = WORD_BYTES + BUFFER_BYTES * ceiling(content_bytes + 3 * WORD_BYTES, BUFFER_BYTES)
    return _tensor(name, rank, kind + 1) + buffer


def _operator(
    inputs: int, output: Amount, options: Amount = _EMPTY, rank: int = _MAP, kind: int = _FLOAT
) -> Amount:
    """An operator and its output: words in a list, for inputs, output, table and, if it has any, options.

    Casts come first, so that their kind's number is the default.
    """
    words = 1 + (1 + inputs) + 2 + 4 + 2 * (options != _NONE) - (options == _CAST)
    return WORD_BYTES * (words + options) + _tensor(output, rank, kind)


def _tensor(name: Amount, rank: int, more: int) -> Amount:
    """A tensor: words in a list, for its extents, its name, its table and ``more``."""
    return WORD_BYTES * (1 + (1 + rank) + 1 + ceiling(name + 1, WORD_BYTES) + 3 + more)
