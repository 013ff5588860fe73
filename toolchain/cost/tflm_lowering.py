"""From a Graph to a ``Program``: one function a node type, one an edge type. All of it is exact integers.

Maps are [1, height, width, channels]. Scales are nominal, powers of two, chosen so that every operator adds,
multiplies or shifts integers:

- Spikes, currents and potentials have the scale 8. So a fused RELU6 clamps an int16 result to 0 and 1 (6 / 8 rounds
  to 1), and a spike is one operator: SUB(u, theta - 1) with RELU6.
- int16x8 convolutions have int64 accumulators and round half up, floor(a * 2**-r + 1/2): with r = 0 their output is
  the sum, with a channel's own r the pixel edge's rounding, and with the right bias a floor.
- Potentials after a reset to zero, products of a potential and a spike, have the scale 64.

Spikes that wait for a later part of the program take a byte each; convolutions read them as int16.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from toolchain.cost.tflm_program import Constant, Program, Value
from toolchain.errors import InputError
from toolchain.graph.bounds import INT16_MAX, max_count
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import (
    Edge,
    Head,
    Lif,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
)

UNIT, PRODUCT = 8.0, 64.0
"""Nominal scales of spikes, currents and potentials, and of potentials after a reset to zero."""

SAME, VALID = 0, 1
"""``Padding`` in the TFLite schema."""
NO_ACTIVATION, RELU6 = 0, 3
"""``ActivationFunctionType`` in the TFLite schema."""
NUMBERS = {"int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}
"""``TensorType`` in the TFLite schema."""

IMAGE, SCORES, COUNTS, POTENTIAL, NEXT = "image", "scores", "spike_counts", ".potential", ".next"
"""Names of inputs and outputs, as in the ONNX step form."""

DIGIT_BITS = 9
"""A score is high * 2**9 + low: its magnitude is under 2**24, so that both digits fit int16."""
DIGIT_COLUMNS = 4
"""Weights of -128 that take 2**9 * high from the score."""
CLASS_GROUP = 16
"""Classes that share a matrix; each has columns for all of its group's high digits."""

MAX_FACTOR_SHIFT = 7
"""2**k - 1 is an int8 weight up to this k."""


@dataclass
class Lowering:
    """What is known while time steps are emitted.

    ``spikes`` of the running step, and those that wait as bytes (``stored``, by node and step). ``potentials`` are
    those after the last reset. ``again`` computes the currents of pixels anew in each step, instead of keeping them.
    """

    graph: Graph
    again: bool
    stepwise: bool = False
    program: Program = field(default_factory=Program)
    image: int = -1
    step: int = 0
    spikes: dict[str, int] = field(default_factory=dict)
    stored: dict[tuple[str, int], int] = field(default_factory=dict)
    potentials: dict[str, int] = field(default_factory=dict)
    counts: int | None = None
    pixels: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)

    def channels(self, role: str, node: Lif, dtype: str = "int16", scale: float = UNIT) -> int:
        """A constant of a number for each channel of ``node``."""
        value = Value((node.shape.channels,), dtype, scale=scale)
        return self.program.constant(Constant(role, node.name), value)

    def arithmetic(
        self, kind: str, one: int, other: int, like: Shape, scale: float = UNIT, relu: int = 0
    ) -> int:
        """ADD, SUB or MUL of maps, or of a map and a number a channel; the first map may be overwritten."""
        over = next(each for each in (one, other) if self.program.values[each].constant is None)
        output = Value(map_of(like), "int16", scale=scale)
        return self.program.op(kind, [one, other], output, over, fusedActivationFunction=relu)

    def cast(self, value: int, dtype: str, scales: int = 1) -> int:
        """Another type for the same integers."""
        before = self.program.values[value]
        return self.program.op(
            "CAST",
            [value],
            Value(before.shape, dtype, scales, UNIT),
            inDataType=NUMBERS[before.dtype],
            outDataType=NUMBERS[dtype],
        )


def map_of(shape: Shape) -> tuple[int, int, int, int]:
    """Extents of a map's tensor."""
    return (1, shape.height, shape.width, shape.channels)


def unrolled(graph: Graph, segments: Collection[range], again: bool) -> Program:
    """All time steps: ``image`` uint8 [frames, H, W, C] -> ``scores`` int32 [1, classes].

    ``segments`` are ranges of the numbers of nodes, all but the input's, in order: all time steps of a segment are
    done before the next one begins.
    """
    require_countable(graph)
    state = Lowering(graph, again)
    state.image = _image(state, graph.input.frames)
    for segment in segments:
        run_segment(state, segment)
    read_out(state)
    return state.program


def one_step(graph: Graph) -> Program:
    """One time step. Beside ``image`` uint8 [1, H, W, C] it takes and gives the state, zeros before the first step.

    ``NODE.potential`` int16 [1, H, W, C] of every LIF node becomes ``NODE.potential.next``, ``spike_counts`` int16
    [1, features], or [1, H, W, C] if the head flattens, ``spike_counts.next``; ``scores`` are those so far. A state's
    next value lies where the state does.
    """
    require_countable(graph)
    state = Lowering(graph, again=True, stepwise=True)
    state.image = _image(state, 1)
    for node in graph.all(Lif):
        value = Value(map_of(node.shape), "int16", scale=_reset_scale(node), name=node.name + POTENTIAL)
        state.states[node.name] = state.potentials[node.name] = state.program.input(value)
    shape = graph.source_shape(graph.head.source)
    extents = (1, shape.channels) if graph.head.features == "count" else map_of(shape)
    state.counts = state.program.input(Value(extents, "int16", scale=UNIT, name=COUNTS))
    run_step(state, range(1, len(graph.nodes)), 0)
    _name(state, state.counts, COUNTS + NEXT)
    read_out(state)
    following = [state.potentials[node.name] for node in graph.all(Lif)]
    for node, after in zip(graph.all(Lif), following, strict=True):
        state.program.places[after] = state.states[node.name]
        _name(state, after, node.name + POTENTIAL + NEXT)
    state.program.outputs += [*following, state.counts]
    return state.program


def require_countable(graph: Graph) -> None:
    """Raise ``InputError`` if a spike count of the head could leave int16."""
    if (most := max_count(graph)) > INT16_MAX:
        raise InputError(
            f"the head counts up to {most:,} spikes, and TensorFlow Lite Micro's kernels count to {INT16_MAX:,}; "
            "use fewer time steps, a smaller last map, or a head that flattens"
        )


def run_segment(state: Lowering, segment: range) -> None:
    """Emit all time steps of the nodes of ``segment``."""
    for index in range(state.graph.time_steps):
        run_step(state, segment, index)


def run_step(state: Lowering, segment: range, index: int) -> None:
    """Emit a time step of the nodes of ``segment``."""
    state.step, state.spikes = index, {}
    later = {source for node in state.graph.nodes[segment.stop :] for source in sources(node)}
    for node in state.graph.nodes[segment.start : segment.stop]:
        NODES[type(node)](state, node, node.name in later)


def _image(state: Lowering, frames: int) -> int:
    """The input as int8: a pixel less 128, which the zero point adds again."""
    shape = state.graph.input.shape
    extents = (frames, *map_of(shape)[1:])
    image = state.program.input(Value(extents, "uint8", name=IMAGE))
    return state.program.op("QUANTIZE", [image], Value(extents, "int8", zero_point=-128), image)


def _lif(state: Lowering, node: Lif, later: bool) -> None:
    """u <- leak(u) + i; spike = u >= theta; and the reset, unless no step follows."""
    shape = node.shape
    before = state.potentials.get(node.name)
    leaked = None if before is None else _leaked(state, node, before)
    potential = _current(state, node)
    if leaked is not None:
        potential = state.arithmetic("ADD", leaked, potential, shape)
    if node.reset == "subtract" or (state.step == state.graph.time_steps - 1 and not state.stepwise):
        below = state.channels("threshold_less_one", node)
        spikes = state.arithmetic("SUB", potential, below, shape, relu=RELU6)
        _give(state, node.name, spikes, later)
        if state.stepwise or state.step < state.graph.time_steps - 1:
            drop = state.arithmetic("MUL", spikes, state.channels("threshold", node, scale=1.0), shape)
            state.potentials[node.name] = state.arithmetic("SUB", potential, drop, shape)
        return
    quiet = state.arithmetic("SUB", state.channels("threshold", node), potential, shape, relu=RELU6)
    state.potentials[node.name] = state.arithmetic("MUL", potential, quiet, shape, PRODUCT)
    one = state.program.constant(Constant("one"), Value((1,), "int16", scale=UNIT))
    _give(state, node.name, state.arithmetic("SUB", one, quiet, shape), later)


def _or_pool(state: Lowering, node: OrPool, later: bool) -> None:
    """The maximum of 2x2 spikes; with VALID padding an odd last row or column is dropped."""
    source = state.spikes.get(node.source)
    source = state.stored[node.source, state.step] if source is None else source
    pooled = state.program.op(
        "MAX_POOL_2D",
        [source],
        Value(map_of(node.shape), state.program.values[source].dtype, scale=UNIT),
        padding=VALID,
        strideH=2,
        strideW=2,
        filterHeight=2,
        filterWidth=2,
    )
    _give(state, node.name, pooled, later)


def _head(state: Lowering, node: Head, later: bool) -> None:
    """Add this step's spikes to the counts."""
    counted = _spikes(state, node.source)
    if node.features == "count":
        axes = state.program.constant(Constant("axes"), Value((2,), "int32", scales=0))
        channels = state.graph.source_shape(node.source).channels
        output = Value((1, channels), "int16", scale=UNIT)
        counted = state.program.op("SUM", [counted, axes], output, keepDims=False)
    if state.counts is not None:
        output = state.program.values[counted]
        counted = state.program.op(
            "ADD", [state.counts, counted], output, state.counts, fusedActivationFunction=NO_ACTIVATION
        )
    state.counts = counted


def _give(state: Lowering, name: str, spikes: int, later: bool) -> None:
    """Hand spikes on within the step, and as bytes to segments that come ``later``."""
    is_bytes = state.program.values[spikes].dtype == "int8"
    if not is_bytes:
        state.spikes[name] = spikes
    if later or is_bytes:
        state.stored[name, state.step] = spikes if is_bytes else state.cast(spikes, "int8")


def _spikes(state: Lowering, name: str) -> int:
    """This step's spikes of a node as int16."""
    if name not in state.spikes:
        state.spikes[name] = state.cast(state.stored[name, state.step], "int16")
    return state.spikes[name]


def _leaked(state: Lowering, node: Lif, before: int) -> int:
    """The decayed potential. A depthwise convolution with the right bias gives the floor, at the scale of currents."""
    leak, scale = node.leak, state.program.values[before].scale
    if leak.form == "none" and scale == UNIT:
        return before
    if leak.form != "subtract" or leak.shift <= MAX_FACTOR_SHIFT:
        return _scaled(state, node, before, leak.form, leak.shift)
    unit = before if scale == UNIT else _scaled(state, node, before, "none", 0)
    return state.arithmetic("SUB", unit, _scaled(state, node, unit, "shift", leak.shift), node.shape)


def _scaled(state: Lowering, node: Lif, potential: int, form: str, shift: int) -> int:
    channels, scale = node.shape.channels, state.program.values[potential].scale
    shift = 0 if form == "none" else shift
    detail = (form, shift, channels)
    factor = state.program.constant(
        Constant("leak", detail=(*detail, int(scale))),
        Value((1, 1, 1, channels), "int8", scale=2.0**-shift * UNIT / scale, axis=3),
    )
    rounding = state.program.constant(
        Constant("leak_rounding", detail=detail),
        Value((channels,), "int64", scales=0),
    )
    return _depthwise(state, [potential, factor, rounding], node.shape)


def _depthwise(state: Lowering, inputs: list[int], shape: Shape) -> int:
    return state.program.op(
        "DEPTHWISE_CONV_2D",
        inputs,
        Value(map_of(shape), "int16", scale=UNIT),
        padding=SAME,
        strideH=1,
        strideW=1,
        depthMultiplier=1,
    )


def _current(state: Lowering, node: Lif) -> int:
    """Sum of the edges' currents and the bias, which convolutions add; if there is none, an operator does."""
    convolved = [index for index, edge in enumerate(node.edges) if isinstance(edge, PixelConv | SpikeConv)]
    others = [index for index in range(len(node.edges)) if index not in convolved]
    total: int | None = None
    for index in convolved + others:
        edge = node.edges[index]
        current = EDGES[type(edge)](state, node, index, edge)
        total = current if total is None else state.arithmetic("ADD", total, current, node.shape)
    assert total is not None
    return total if convolved else state.arithmetic("ADD", total, state.channels("bias", node), node.shape)


def _pixel_conv(state: Lowering, node: Lif, index: int, edge: PixelConv) -> int:
    """floor((sum(w * pixel) + 2**(r - 1)) * 2**-r) + its part of the bias; the same in every step without frames."""
    key = f"{node.name}.{index}"
    if key not in state.pixels or state.again or state.graph.input.frames > 1:
        state.pixels[key] = _convolution(state, node, index, edge, _pixels(state, edge), node.shape.channels)
    return state.pixels[key]


def _pixels(state: Lowering, edge: PixelConv) -> int:
    """Pixels of the step as int16, padded where the convolution needs it."""
    source, shape = state.image, state.graph.input.shape
    if state.program.values[source].shape[0] > 1:
        number = state.program.constant(
            Constant("frame", detail=(state.step,)), Value((1,), "int32", scales=0)
        )
        output = Value(map_of(shape), "int8", zero_point=-128)
        source = state.program.op("GATHER", [source, number], output)
    source = _padded(state, edge, source, shape)
    extents = state.program.values[source].shape
    return state.program.op("QUANTIZE", [source], Value(extents, "int16"))


def _spike_conv(state: Lowering, node: Lif, index: int, edge: SpikeConv) -> int:
    """sum(w * spike) + its part of the bias."""
    shape = state.graph.source_shape(edge.source)
    if not _pads(edge, shape):
        return _convolution(state, node, index, edge, _spikes(state, edge.source), 1)
    if edge.source in state.spikes:
        return _convolution(
            state, node, index, edge, _padded(state, edge, state.spikes[edge.source], shape), 1
        )
    padded = _padded(state, edge, state.stored[edge.source, state.step], shape)
    return _convolution(state, node, index, edge, state.cast(padded, "int16"), 1)


def _convolution(
    state: Lowering, node: Lif, index: int, edge: PixelConv | SpikeConv, source: int, scales: int
) -> int:
    into, channels = state.graph.source_shape(edge.source), node.shape.channels
    weight = state.program.constant(
        Constant("weight", node.name, index),
        Value((channels, edge.kernel, edge.kernel, into.channels), "int8", scales),
    )
    bias = state.program.constant(
        Constant("edge_bias", node.name, index), Value((channels,), "int64", scales=0)
    )
    return state.program.op(
        "CONV_2D",
        [source, weight, bias],
        Value(map_of(node.shape), "int16", scale=UNIT),
        padding=VALID if edge.kernel == 1 or _pads(edge, into) else SAME,
        strideH=edge.stride,
        strideW=edge.stride,
    )


def _pads(edge: PixelConv | SpikeConv, shape: Shape) -> bool:
    """Whether SAME would pad otherwise: nothing at the start of an even side when the stride is 2."""
    return edge.kernel > 1 and edge.stride > 1 and not (shape.height % 2 and shape.width % 2)


def _padded(state: Lowering, edge: PixelConv | SpikeConv, source: int, shape: Shape) -> int:
    """The source with a row and a column of zeros before, and behind where a window reaches there."""
    if not _pads(edge, shape):
        return source
    odd = shape.height % 2, shape.width % 2
    margins = state.program.constant(Constant("margins", detail=odd), Value((4, 2), "int32", scales=0))
    before = state.program.values[source]
    extents = (1, shape.height + 1 + odd[0], shape.width + 1 + odd[1], shape.channels)
    return state.program.op("PAD", [source, margins], before._replace(shape=extents, name=""))


def _skip(state: Lowering, node: Lif, index: int, edge: Skip) -> int:
    """spike * 2**e."""
    one = state.channels("skip", node, scale=1.0)
    return state.arithmetic("MUL", _spikes(state, edge.source), one, node.shape)


def _pool(state: Lowering, node: Lif, index: int, edge: Pool) -> int:
    """count * 2**(e - 3) as a depthwise convolution."""
    channels = node.shape.channels
    window = state.program.constant(
        Constant("window", node.name), Value((1, 3, 3, channels), "int8", channels, axis=3)
    )
    return _depthwise(state, [_spikes(state, edge.source), window], node.shape)


def read_out(state: Lowering) -> None:
    """Counts -> ``scores`` int32 [1, classes], which int16 does not hold.

    high = round(score / 2**9) and low = score - 2**9 * high come from the same weights, whose last columns are -128:
    four times 0 is read there for the one, and four times high for the other.
    """
    graph, program, counts = state.graph, state.program, state.counts
    assert counts is not None
    features = graph.head_features()
    if len(program.values[counts].shape) > 2:
        shape = program.constant(Constant("features"), Value((2,), "int32", scales=0))
        counts = program.op(
            "RESHAPE",
            [counts, shape],
            Value((1, features), "int16", scale=UNIT),
            counts,
            newShape=[1, features],
        )
    parts = []
    for start in range(0, graph.head.classes, CLASS_GROUP):
        parts.append(_digits(state, counts, start, min(CLASS_GROUP, graph.head.classes - start)))
    scores = parts[0]
    if len(parts) > 1:
        output = Value((1, graph.head.classes), "int32", scales=0)
        scores = program.op("CONCATENATION", parts, output, axis=1)
    _name(state, scores, SCORES)
    program.outputs.insert(0, scores)


def _digits(state: Lowering, counts: int, start: int, classes: int) -> int:
    program, detail = state.program, (start, classes)
    name, more = state.graph.head.name, DIGIT_COLUMNS * classes
    width = program.values[counts].shape[1] + more
    both = Value((1, width), "int16", scale=UNIT)
    margins = program.constant(Constant("digit_margins", detail=(more,)), Value((2, 2), "int32", scales=0))
    weight = program.constant(Constant("head_weight", name, detail=detail), Value((classes, width), "int8"))
    bias = program.constant(
        Constant("head_bias", name, detail=detail), Value((classes,), "int64", scale=UNIT)
    )
    first = program.op("PAD", [counts, margins], both)
    digit = Value((1, classes), "int16", scale=UNIT * 2**DIGIT_BITS)
    high = program.op("FULLY_CONNECTED", [first, weight, bias], digit)
    second = program.op("CONCATENATION", [counts, *[high] * DIGIT_COLUMNS], both, axis=1)
    low = program.op("FULLY_CONNECTED", [second, weight, bias], digit._replace(scale=UNIT))
    base = program.constant(Constant("base"), Value((1,), "int32", scales=0))
    wide = Value((1, classes), "int32", scales=0)
    upper = program.op(
        "MUL", [state.cast(high, "int32", 0), base], wide, fusedActivationFunction=NO_ACTIVATION
    )
    lower = state.cast(low, "int32", 0)
    return program.op("ADD", [upper, lower], wide, upper, fusedActivationFunction=NO_ACTIVATION)


def _reset_scale(node: Lif) -> float:
    return UNIT if node.reset == "subtract" else PRODUCT


def _name(state: Lowering, value: int, name: str) -> None:
    state.program.values[value] = state.program.values[value]._replace(name=name)


NODES: dict[type, Callable[..., None]] = {Lif: _lif, OrPool: _or_pool, Head: _head}
EDGES: dict[type[Edge], Callable[..., int]] = {
    PixelConv: _pixel_conv,
    SpikeConv: _spike_conv,
    Skip: _skip,
    Pool: _pool,
}
