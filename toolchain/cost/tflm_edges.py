"""From the edges of a Graph to operators of a ``Program``: one function an edge type.

Spikes that wait as bytes are read as int16 here; convolutions add their part of the bias.
"""

from __future__ import annotations

from collections.abc import Callable

from toolchain.cost.tflm_program import Constant, Value
from toolchain.cost.tflm_state import SAME, UNIT, VALID, Lowering, depthwise, map_of, spikes_of
from toolchain.graph.nodes import (
    Edge,
    Lif,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
)


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
        return _convolution(state, node, index, edge, spikes_of(state, edge.source), 1)
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
    return state.arithmetic("MUL", spikes_of(state, edge.source), one, node.shape)


def _pool(state: Lowering, node: Lif, index: int, edge: Pool) -> int:
    """count * 2**(e - 3) as a depthwise convolution."""
    channels = node.shape.channels
    window = state.program.constant(
        Constant("window", node.name), Value((1, 3, 3, channels), "int8", channels, axis=3)
    )
    return depthwise(state, [spikes_of(state, edge.source), window], node.shape)


EDGES: dict[type[Edge], Callable[..., int]] = {
    PixelConv: _pixel_conv,
    SpikeConv: _spike_conv,
    Skip: _skip,
    Pool: _pool,
}
