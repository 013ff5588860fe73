"""From a Graph to a ``Program``: all time steps, or one; one function a node type."""

from __future__ import annotations

from collections.abc import Callable, Collection

from toolchain.cost.tflm_edges import EDGES
from toolchain.cost.tflm_program import Constant, Program, Value
from toolchain.cost.tflm_read_out import read_out
from toolchain.cost.tflm_state import (
    COUNTS,
    IMAGE,
    NEXT,
    NO_ACTIVATION,
    POTENTIAL,
    PRODUCT,
    RELU6,
    UNIT,
    VALID,
    Lowering,
    call,
    depthwise,
    map_of,
    spikes_of,
)
from toolchain.errors import InputError
from toolchain.graph.bounds import INT16_MAX, max_count
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import (
    Head,
    Lif,
    OrPool,
    PixelConv,
    SpikeConv,
)

MAX_FACTOR_SHIFT = 7
"""2**k - 1 is an int8 weight up to this k."""


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
    call(state, state.counts, COUNTS + NEXT)
    read_out(state)
    following = [state.potentials[node.name] for node in graph.all(Lif)]
    for node, after in zip(graph.all(Lif), following, strict=True):
        state.program.places[after] = state.states[node.name]
        call(state, after, node.name + POTENTIAL + NEXT)
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
    counted = spikes_of(state, node.source)
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
    return depthwise(state, [potential, factor, rounding], node.shape)


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


def _reset_scale(node: Lif) -> float:
    return UNIT if node.reset == "subtract" else PRODUCT


NODES: dict[type, Callable[..., None]] = {Lif: _lif, OrPool: _or_pool, Head: _head}
