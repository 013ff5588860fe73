"""One time step of a Graph as ONNX operators: one function a node type, one an edge type.

Maps are float32 [N, channels, height, width] that hold integers; float32 is exact for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from exporters import float_constants as constants
from exporters.onnx.builder import Builder
from exporters.onnx.packing import stored_weight
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Input, Leak, Lif, OrPool, PixelConv, Pool, Skip, SpikeConv

IMAGE, SCORES, COUNTS, NEXT = "image", "scores", "spike_counts", ".next"
"""Names of inputs and outputs; the state that a step passes on is called as it was, and ``.next``."""

OPERATORS = frozenset(
    "Add Cast Concat Conv Flatten Floor Gather Gemm GreaterOrEqual MaxPool Mul ReduceSum Sub".split()
)
"""All operators that this exporter emits. Each means the same in opset 13 and in every later one."""

MIN_OPSET = 13
"""The first opset in which ReduceSum takes its axes as an input."""


def potential_name(node: Lif) -> str:
    """Name of the potentials of ``node`` as an input of the step form."""
    return f"{node.name}.potential"


@dataclass
class Step:
    """Names of the values of one time step.

    ``potentials`` are those before the step, after the last reset; a node that is missing there has the
    potential 0. ``counts`` are the spikes counted so far, None before the first step. ``frame`` is the index of the
    step's own frame among those of the image, None where the image is all that the step sees. ``lower`` fills
    ``maps`` (what each node gives to its readers) and ``unreset`` (potential before the reset, spikes).
    """

    builder: Builder
    suffix: str
    potentials: dict[str, str] = field(default_factory=dict)
    counts: str | None = None
    frame: int | None = None
    maps: dict[str, str] = field(default_factory=dict)
    unreset: dict[str, tuple[str, str]] = field(default_factory=dict)

    def op(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Emit an operator whose output is called ``name`` and the step."""
        return self.builder.op(kind, inputs, name + self.suffix, **attributes)


def lower(graph: Graph, step: Step) -> Step:
    """Emit all nodes of ``graph`` for one time step."""
    for node in graph.nodes:
        LOWERINGS[type(node)](step, node)
    return step


def reset_potentials(graph: Graph, step: Step) -> dict[str, str]:
    """Emit the resets of a lowered step and return the potentials that the next one starts from."""
    return {node.name: _reset(step, node) for node in graph.all(Lif)}


def read_out(builder: Builder, head: Head, counts: str) -> str:
    """Emit the head's linear layer: spike counts [N, features] -> scores int32 [N, classes]."""
    assert head.weight is not None and head.bias is not None
    weight = stored_weight(builder, head, f"{head.name}.weight", head.weight)
    bias = builder.constant(f"{head.name}.bias", head.bias.astype(np.float32))
    sums = builder.op("Gemm", [counts, weight, bias], f"{head.name}.sums", transB=1)
    return builder.op("Cast", [sums], SCORES, to=TensorProto.INT32)


def lower_input(step: Step, node: Input) -> None:
    """Pixels are one value: the map of every step, or the frames of which each step takes its own."""
    pixels = step.builder.op("Cast", [IMAGE], f"{node.name}.pixels", to=TensorProto.FLOAT)
    if step.frame is not None:
        index = step.builder.constant(f"{node.name}.index{step.suffix}", np.array(step.frame, np.int64))
        pixels = step.op("Gather", [pixels, index], f"{node.name}.frame", axis=1)
    step.maps[node.name] = pixels


def lower_lif(step: Step, node: Lif) -> None:
    """u <- leak(u) + i; spike = u >= threshold."""
    current = node_current(step, node)
    before = step.potentials.get(node.name)
    if before is None:
        potential = current
    else:
        potential = step.op("Add", [leaked(step, node, before), current], f"{node.name}.charged")
    threshold = step.builder.channels(f"{node.name}.threshold", constants.threshold(node))
    fired = step.op("GreaterOrEqual", [potential, threshold], f"{node.name}.fired")
    spikes = step.op("Cast", [fired], f"{node.name}.spikes", to=TensorProto.FLOAT)
    step.maps[node.name] = spikes
    step.unreset[node.name] = potential, spikes


def lower_or_pool(step: Step, node: OrPool) -> None:
    """The maximum of 2x2 spikes; ``ceil_mode`` is 0, so an odd last row or column is dropped."""
    step.maps[node.name] = step.op(
        "MaxPool", [step.maps[node.source]], f"{node.name}.spikes", kernel_shape=[2, 2], strides=[2, 2]
    )


def lower_head(step: Step, node: Head) -> None:
    """Add this step's spikes to the counts [N, features]."""
    spikes = step.maps[node.source]
    if node.features == "count":
        axes = step.builder.constant(f"{node.name}.axes", np.array([2, 3], np.int64))
        features = step.op("ReduceSum", [spikes, axes], f"{node.name}.features", keepdims=0)
    else:
        features = step.op("Flatten", [spikes], f"{node.name}.features", axis=1)
    if step.counts is not None:
        features = step.op("Add", [step.counts, features], COUNTS + NEXT)
    step.counts = features


def node_current(step: Step, node: Lif) -> str:
    """Sum of the edges' currents and the bias."""
    carrier = constants.bias_edge(node)
    total: str | None = None
    for index, edge in enumerate(node.edges):
        bias = step.builder.constant(f"{node.name}.bias", constants.bias(node)) if edge is carrier else None
        current = EDGES[type(edge)](step, node, index, edge, bias)
        total = current if total is None else step.op("Add", [total, current], f"{node.name}.{index}.total")
    assert total is not None
    if carrier is None:
        bias = step.builder.channels(f"{node.name}.bias", constants.bias(node))
        total = step.op("Add", [total, bias], f"{node.name}.current")
    return total


def pixel_current(step: Step, node: Lif, index: int, edge: PixelConv, bias: str | None) -> str:
    """floor((sum(w * pixel) + 2**(r - 1)) * 2**-r); where r = 0 this is the sum itself."""
    prefix = f"{node.name}.{index}"
    half = step.builder.constant(f"{prefix}.half", constants.rounding_half(edge))
    scale = step.builder.channels(f"{prefix}.scale", constants.rounding_scale(edge))
    sums = convolution(step, node, index, edge, half)
    return step.op("Floor", [step.op("Mul", [sums, scale], f"{prefix}.scaled")], f"{prefix}.rounded")


def convolution(step: Step, node: Lif, index: int, edge: PixelConv | SpikeConv, bias: str | None) -> str:
    """sum(w * source) + bias, zero padded by kernel // 2 on every side."""
    assert edge.weight is not None
    prefix = f"{node.name}.{index}"
    weight = stored_weight(step.builder, node, f"{prefix}.weight", edge.weight)
    return step.op(
        "Conv",
        [step.maps[edge.source], weight] + ([bias] if bias else []),
        f"{prefix}.sums",
        kernel_shape=[edge.kernel] * 2,
        strides=[edge.stride] * 2,
        pads=[edge.kernel // 2] * 4,
    )


def skip_current(step: Step, node: Lif, index: int, edge: Skip, bias: str | None) -> str:
    """spike * 2**e."""
    one = step.builder.channels(f"{node.name}.one", constants.one(node))
    return step.op("Mul", [step.maps[edge.source], one], f"{node.name}.{index}.skip")


def pool_current(step: Step, node: Lif, index: int, edge: Pool, bias: str | None) -> str:
    """count * 2**(e - 3) as a depthwise convolution with that number nine times; an average would round."""
    size = node.shape.channels
    values = np.broadcast_to(constants.pool_step(node).reshape(-1, 1, 1, 1), (size, 1, 3, 3))
    kernel = step.builder.constant(f"{node.name}.window", np.ascontiguousarray(values))
    return step.op(
        "Conv",
        [step.maps[edge.source], kernel] + ([bias] if bias else []),
        f"{node.name}.{index}.pool",
        kernel_shape=[3, 3],
        pads=[1] * 4,
        group=size,
    )


def leaked(step: Step, node: Lif, potential: str) -> str:
    """The decayed potential: u, u - floor(u * 2**-k), or floor(u * 2**-k)."""
    leak: Leak = node.leak
    if leak.form == "none":
        return potential
    factor = step.builder.constant(f"{node.name}.leak", np.array(2.0**-leak.shift, np.float32))
    product = step.op("Mul", [potential, factor], f"{node.name}.shifted")
    floor = step.op("Floor", [product], f"{node.name}.floor")
    return floor if leak.form == "shift" else step.op("Sub", [potential, floor], f"{node.name}.leaked")


def _reset(step: Step, node: Lif) -> str:
    """u - threshold * spike, or u - u * spike for a reset to zero."""
    potential, spikes = step.unreset[node.name]
    by = f"{node.name}.threshold" if node.reset == "subtract" else potential
    drop = step.op("Mul", [spikes, by], f"{node.name}.drop")
    return step.op("Sub", [potential, drop], potential_name(node) + NEXT)


LOWERINGS: dict[type, Callable[..., None]] = {
    Input: lower_input,
    Lif: lower_lif,
    OrPool: lower_or_pool,
    Head: lower_head,
}
EDGES: dict[type[Edge], Callable[..., str]] = {
    PixelConv: pixel_current,
    SpikeConv: convolution,
    Skip: skip_current,
    Pool: pool_current,
}
