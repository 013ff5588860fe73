"""One time step of a Graph as TFLite operators: one function a node type, one an edge type.

Maps are float32 [1, height, width, channels] that hold integers; float32 is exact for them. The batch may be
resized, so no operator names it, unless the pixels are frames: then these are what the input has a batch of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters import float_constants as constants
from exporters.tflite.builder import Builder
from exporters.tflite.operators import SAME, VALID
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Edge,
    Head,
    Input,
    Leak,
    Lif,
    OrPool,
    PixelConv,
    Pool,
    Skip,
    SpikeConv,
)

IMAGE, SCORES = "image", "scores"
"""Names of the model's input and output tensors."""


@dataclass
class Step:
    """Tensors of one time step.

    ``potentials`` are those before the step, after the last reset; a node that is missing there has the
    potential 0. ``counts`` are the spikes counted so far, None before the first step. ``index`` counts the steps from
    0. ``lower`` fills
    ``maps`` (what each node gives to its readers) and ``unreset`` (potential before the reset, spikes).
    """

    graph: Graph
    builder: Builder
    index: int
    potentials: dict[str, int] = field(default_factory=dict)
    counts: int | None = None
    maps: dict[str, int] = field(default_factory=dict)
    unreset: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """What the names of the step's own tensors end in."""
        return f".t{self.index}"

    def op(self, kind: str, inputs: list[int], name: str, **options: Any) -> int:
        """Emit an operator whose output is called ``name`` and the step."""
        return self.builder.op(kind, inputs, name + self.suffix, **options)


def lower(step: Step) -> Step:
    """Emit all nodes for one time step."""
    for node in step.graph.nodes:
        LOWERINGS[type(node)](step, node)
    return step


def reset_potentials(step: Step) -> dict[str, int]:
    """Emit the resets of a lowered step and return the potentials that the next one starts from."""
    return {node.name: _reset(step, node) for node in step.graph.all(Lif)}


def read_out(graph: Graph, builder: Builder, counts: int) -> int:
    """Emit the head's linear layer: spike counts [1, features] -> scores int32 [1, classes]."""
    head = graph.head
    assert head.bias is not None
    weight = builder.weight(f"{head.name}.weight", head_weight(graph))
    bias = builder.constant(f"{head.name}.bias", head.bias.astype(np.float32))
    sums = builder.op("FULLY_CONNECTED", [counts, weight, bias], f"{head.name}.sums")
    return builder.cast(sums, SCORES, "int32")


def lower_input(step: Step, node: Input) -> None:
    """Pixels are one tensor: the map of every step, or the frames of which each step takes its own."""
    shape = (node.frames, node.shape.height, node.shape.width, node.shape.channels)
    image = step.builder.input(IMAGE, shape, "uint8")
    pixels = step.builder.cast(image, f"{node.name}.pixels", "float32")
    if node.frames > 1:
        index = step.builder.constant(f"{node.name}.index{step.suffix}", np.array([step.index], np.int32))
        pixels = step.op("GATHER", [pixels, index], f"{node.name}.frame")
    step.maps[node.name] = pixels


def lower_lif(step: Step, node: Lif) -> None:
    """u <- leak(u) + i; spike = u >= threshold."""
    current = node_current(step, node)
    before = step.potentials.get(node.name)
    if before is None:
        potential = current
    else:
        potential = step.op("ADD", [leaked(step, node, before), current], f"{node.name}.charged")
    threshold = step.builder.constant(f"{node.name}.threshold", constants.threshold(node))
    fired = step.op("GREATER_EQUAL", [potential, threshold], f"{node.name}.fired")
    spikes = step.builder.cast(fired, f"{node.name}.spikes{step.suffix}", "float32")
    step.maps[node.name] = spikes
    step.unreset[node.name] = potential, spikes


def lower_or_pool(step: Step, node: OrPool) -> None:
    """The maximum of 2x2 spikes; with VALID padding an odd last row or column is dropped."""
    step.maps[node.name] = step.op(
        "MAX_POOL_2D",
        [step.maps[node.source]],
        f"{node.name}.spikes",
        padding=VALID,
        strideH=2,
        strideW=2,
        filterHeight=2,
        filterWidth=2,
    )


def lower_head(step: Step, node: Head) -> None:
    """Add this step's spikes to the counts [1, features]."""
    spikes = step.maps[node.source]
    if node.features == "count":
        axes = step.builder.constant(f"{node.name}.axes", np.array([1, 2], np.int32))
        features = step.op("SUM", [spikes, axes], f"{node.name}.features", keepDims=False)
    else:
        wanted = [-1, step.graph.head_features()]
        new_shape = step.builder.constant(f"{node.name}.shape", np.array(wanted, np.int32))
        features = step.op("RESHAPE", [spikes, new_shape], f"{node.name}.features", newShape=wanted)
    if step.counts is not None:
        features = step.op("ADD", [step.counts, features], f"{node.name}.counts")
    step.counts = features


def node_current(step: Step, node: Lif) -> int:
    """Sum of the edges' currents and the bias."""
    carrier = constants.bias_edge(node)
    bias = step.builder.constant(f"{node.name}.bias", constants.bias(node))
    total: int | None = None
    for index, edge in enumerate(node.edges):
        current = EDGES[type(edge)](step, node, index, edge, bias if edge is carrier else None)
        total = current if total is None else step.op("ADD", [total, current], f"{node.name}.{index}.total")
    assert total is not None
    return total if carrier is not None else step.op("ADD", [total, bias], f"{node.name}.current")


def pixel_current(step: Step, node: Lif, index: int, edge: PixelConv, bias: int | None) -> int:
    """floor((sum(w * pixel) + 2**(r - 1)) * 2**-r); where r = 0 this is the sum itself."""
    prefix = f"{node.name}.{index}"
    half = step.builder.constant(f"{prefix}.half", constants.rounding_half(edge))
    scale = step.builder.constant(f"{prefix}.scale", constants.rounding_scale(edge))
    sums = convolution(step, node, index, edge, half)
    return step.op("FLOOR", [step.op("MUL", [sums, scale], f"{prefix}.scaled")], f"{prefix}.rounded")


def convolution(step: Step, node: Lif, index: int, edge: PixelConv | SpikeConv, bias: int | None) -> int:
    """sum(w * source) + bias, zero padded by kernel // 2 on every side."""
    assert edge.weight is not None
    prefix = f"{node.name}.{index}"
    weight = step.builder.weight(f"{prefix}.weight", np.ascontiguousarray(edge.weight.transpose(0, 2, 3, 1)))
    source, padding = padded(step, edge)
    return step.op(
        "CONV_2D",
        [source, weight, _bias(step, node, bias)],
        f"{prefix}.sums",
        padding=padding,
        strideH=edge.stride,
        strideW=edge.stride,
    )


def padded(step: Step, edge: PixelConv | SpikeConv) -> tuple[int, int]:
    """The edge's source and the padding that a convolution of it needs: (tensor, SAME or VALID).

    SAME pads an even side by nothing at its start when the stride is 2, so such maps are padded before.
    """
    source = step.maps[edge.source]
    shape = step.graph.source_shape(edge.source)
    if edge.kernel == 1:
        return source, VALID
    if edge.stride == 1 or (shape.height % 2 and shape.width % 2):
        return source, SAME
    margins = step.builder.constant("margins", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    return step.op("PAD", [source, margins], f"{edge.source}.padded"), VALID


def skip_current(step: Step, node: Lif, index: int, edge: Skip, bias: int | None) -> int:
    """spike * 2**e."""
    one = step.builder.constant(f"{node.name}.one", constants.one(node))
    return step.op("MUL", [step.maps[edge.source], one], f"{node.name}.{index}.skip")


def pool_current(step: Step, node: Lif, index: int, edge: Pool, bias: int | None) -> int:
    """count * 2**(e - 3) as a depthwise convolution with that number nine times; an average would round."""
    values = np.broadcast_to(constants.pool_step(node), (1, 3, 3, node.shape.channels))
    kernel = step.builder.constant(f"{node.name}.window", np.ascontiguousarray(values))
    return step.op(
        "DEPTHWISE_CONV_2D",
        [step.maps[edge.source], kernel, _bias(step, node, bias)],
        f"{node.name}.{index}.pool",
        padding=SAME,
        strideH=1,
        strideW=1,
        depthMultiplier=1,
    )


def leaked(step: Step, node: Lif, potential: int) -> int:
    """The decayed potential: u, u - floor(u * 2**-k), or floor(u * 2**-k)."""
    leak: Leak = node.leak
    if leak.form == "none":
        return potential
    factor = step.builder.constant(f"{node.name}.leak", np.array([2.0**-leak.shift], np.float32))
    product = step.op("MUL", [potential, factor], f"{node.name}.shifted")
    floor = step.op("FLOOR", [product], f"{node.name}.floor")
    return floor if leak.form == "shift" else step.op("SUB", [potential, floor], f"{node.name}.leaked")


def _reset(step: Step, node: Lif) -> int:
    """u - threshold * spike, or u - u * spike for a reset to zero."""
    potential, spikes = step.unreset[node.name]
    by = potential
    if node.reset == "subtract":
        by = step.builder.constant(f"{node.name}.threshold", constants.threshold(node))
    drop = step.op("MUL", [spikes, by], f"{node.name}.drop")
    return step.op("SUB", [potential, drop], f"{node.name}.reset")


def _bias(step: Step, node: Lif, bias: int | None) -> int:
    """A convolution's bias, zeros where it has none: older XNNPACK takes no convolution without one."""
    if bias is not None:
        return bias
    return step.builder.constant(f"{node.name}.zeros", np.zeros(node.shape.channels, np.float32))


def head_weight(graph: Graph) -> NDArray[np.int8]:
    """The head's weights with flattened features in the order row, column, channel."""
    head = graph.head
    assert head.weight is not None
    if head.features == "count":
        return head.weight
    maps = head.weight.reshape(head.classes, *graph.source_shape(head.source))
    return np.ascontiguousarray(maps.transpose(0, 2, 3, 1).reshape(head.classes, -1))


LOWERINGS: dict[type, Callable[..., None]] = {
    Input: lower_input,
    Lif: lower_lif,
    OrPool: lower_or_pool,
    Head: lower_head,
}
EDGES: dict[type[Edge], Callable[..., int]] = {
    PixelConv: pixel_current,
    SpikeConv: convolution,
    Skip: skip_current,
    Pool: pool_current,
}
