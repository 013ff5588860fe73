"""One time step of a Graph as ONNX operators: one function a node type, one an edge type.

What runtimes want differently (types of pixels and weights, how to fire, what comes out) is a ``Dialect``'s.
Maps are float32 [N, channels, height, width] that hold integers; float32 is exact for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from exporters import float_constants as constants
from exporters.onnx.builder import Builder
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Array,
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

IMAGE, SCORES, COUNTS, NEXT = "image", "scores", "spike_counts", ".next"
"""Names of inputs and outputs; the state that a step passes on is called as it was, and ``.next``."""

OPERATORS = frozenset(
    (
        "Add Cast Clip Concat Conv DequantizeLinear Flatten Floor Gather Gemm GreaterOrEqual MaxPool Mul"
        " QuantizeLinear ReduceSum Sub"
    ).split()
)
"""All operators that this exporter emits. Each means the same in opset 13 and in every later one."""

MIN_OPSET = 13
"""The first opset in which ReduceSum takes its axes as an input."""


def potential_name(node: Lif) -> str:
    """Name of the potentials of ``node`` as an input of the step form."""
    return f"{node.name}.potential"


class Dialect(Protocol):
    """What a runtime wants in its own way. Each method emits operators and returns the name of what they give."""

    def pixels(self, builder: Builder, node: Input) -> str:
        """The image as float32, of all frames."""
        ...

    def weight(self, builder: Builder, node: Lif | Head, name: str, weight: Array) -> str:
        """Store ``weight`` [out, in, ...] of ``node`` under ``name``; gives its float32 values."""
        ...

    def pixel_current(self, step: Step, node: Lif, index: int, edge: PixelConv) -> str:
        """floor((sum(w * pixel) + 2**(r - 1)) * 2**-r), or the sum itself where r = 0."""
        ...

    def fire(self, step: Step, node: Lif, potential: str) -> tuple[str, str]:
        """1 where ``potential`` is at least the threshold, else 0: as other nodes read it, and for the reset."""
        ...

    def read_out(self, builder: Builder, head: Head, counts: str) -> str:
        """What comes out, of spike counts [N, features]."""
        ...


@dataclass
class Step:
    """Names of the values of one time step.

    ``potentials`` are those before the step, after the last reset; a node that is missing there has the
    potential 0. ``counts`` are the spikes counted so far, None before the first step. ``frame`` is the index of the
    step's own frame among those of the image, None where the image is all that the step sees. ``lower`` fills
    ``maps`` (what each node gives to its readers) and ``unreset`` (potential before the reset, spikes).
    """

    builder: Builder
    dialect: Dialect
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


def lower_input(step: Step, node: Input) -> None:
    """Pixels are one value: the map of every step, or the frames of which each step takes its own."""
    pixels = step.dialect.pixels(step.builder, node)
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
    step.maps[node.name], spikes = step.dialect.fire(step, node, potential)
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
    """The rounded sum of a convolution of pixels."""
    return step.dialect.pixel_current(step, node, index, edge)


def spike_current(step: Step, node: Lif, index: int, edge: SpikeConv, bias: str | None) -> str:
    """sum(w * spike), and the bias if it is added here."""
    prefix = f"{node.name}.{index}"
    assert edge.weight is not None
    weight = step.dialect.weight(step.builder, node, f"{prefix}.weight", edge.weight)
    return convolution(step, f"{prefix}.sums", edge, weight, bias)


def convolution(step: Step, name: str, edge: PixelConv | SpikeConv, weight: str, bias: str | None) -> str:
    """sum(weight * source) + bias, zero padded by kernel // 2 on every side."""
    return step.op(
        "Conv",
        [step.maps[edge.source], weight] + ([bias] if bias else []),
        name,
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
    by = potential
    if node.reset == "subtract":
        by = step.builder.channels(f"{node.name}.threshold", constants.threshold(node))
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
    SpikeConv: spike_current,
    Skip: skip_current,
    Pool: pool_current,
}
