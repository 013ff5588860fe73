"""The two ONNX forms of a network.

- ``unrolled``: ``image`` uint8 [N, C, H, W] -> ``scores`` int32 [N, classes], all time steps inside. A network that
  takes frames has them all in its image, [N, T, C, H, W]; the step form takes one frame a step.
- ``step``: one time step. Beside ``image`` it takes and gives the state: ``NODE.potential`` float32
  [N, channels, height, width] of every LIF node and ``spike_counts`` float32 [N, features]; the outputs
  are ``NODE.potential.next``, ``spike_counts.next`` and ``scores``, those so far. The state before the
  first step, and after a reset, is all zeros. After ``time_steps`` calls the scores are the network's.
"""

from __future__ import annotations

import json

import onnx
from onnx import TensorProto

from exporters import metadata
from exporters.onnx import cpu
from exporters.onnx.builder import Builder, Extents
from exporters.onnx.lowering import (
    COUNTS,
    IMAGE,
    NEXT,
    SCORES,
    Dialect,
    Step,
    lower,
    potential_name,
    reset_potentials,
)
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif

PREFIX = f"{metadata.KEY}."
"""Keys of the model's properties start with this; text is stored as it is, everything else as JSON."""

PRODUCER: tuple[str, str] = tuple(metadata.GENERATOR.split(" "))  # type: ignore[assignment]
"""Name and version of what writes the files."""

Values = dict[str, tuple[int, Extents]]


def all_steps(graph: Graph, builder: Builder, dialect: Dialect) -> None:
    """Emit all time steps of ``graph`` and what they give."""
    frames: list[int | None] = [None] * graph.time_steps
    if graph.input.frames > 1:
        frames = list(range(graph.time_steps))
    step = lower(graph, Step(builder, dialect, ".t0", frame=frames[0]))
    for index in range(1, graph.time_steps):
        before = reset_potentials(graph, step)
        step = lower(graph, Step(builder, dialect, f".t{index}", before, step.counts, frames[index]))
    assert step.counts is not None
    dialect.read_out(builder, graph.head, step.counts)


def unrolled(graph: Graph, builder: Builder, dialect: Dialect) -> tuple[Values, Values]:
    """Emit all time steps of ``graph``; returns the model's inputs and outputs."""
    all_steps(graph, builder, dialect)
    return _image(graph.input.extents), _scores(graph)


def one_step(graph: Graph, builder: Builder, dialect: Dialect) -> tuple[Values, Values]:
    """Emit one time step of ``graph``, its state going in and out; returns the model's inputs and outputs."""
    potentials = {node.name: potential_name(node) for node in graph.all(Lif)}
    state: Values = {
        potential_name(node): (TensorProto.FLOAT, ("N", *node.shape)) for node in graph.all(Lif)
    } | {COUNTS: (TensorProto.FLOAT, ("N", graph.head_features()))}
    step = lower(graph, Step(builder, dialect, "", potentials, COUNTS))
    reset_potentials(graph, step)
    assert step.counts is not None
    dialect.read_out(builder, graph.head, step.counts)
    return _image(graph.input.shape) | state, _scores(graph) | {
        name + NEXT: kind for name, kind in state.items()
    }


def build(graph: Graph, form: metadata.Form, profile: str, opset: int, ir_version: int) -> onnx.ModelProto:
    """Lower a valid Graph with weights to a checked ONNX model of the given form, opset and IR version."""
    builder = Builder()
    emit = unrolled if form == "unrolled" else one_step
    inputs, outputs = emit(graph, builder, cpu.dialect(opset, ir_version))
    return builder.model(
        inputs,
        outputs,
        opset=opset,
        ir_version=ir_version,
        properties=properties(graph, profile, form),
        producer=PRODUCER,
        description=_DESCRIPTIONS[form],
    )


def properties(graph: Graph, profile: str, form: metadata.Form) -> dict[str, str]:
    """The facts of ``exporters.metadata`` as a model's properties."""
    return {
        PREFIX + name: value if isinstance(value, str) else json.dumps(value)
        for name, value in metadata.facts(graph, profile, form).items()
    }


def _image(extents: tuple[int, ...]) -> Values:
    return {IMAGE: (TensorProto.UINT8, ("N", *extents))}


def _scores(graph: Graph) -> Values:
    return {SCORES: (TensorProto.INT32, ("N", graph.head.classes))}


_DESCRIPTIONS = {
    "unrolled": "All time steps: preprocessed pixels in, integer scores out.",
    "step": (
        "One time step. Feed zeros as NODE.potential and spike_counts before the first step of an image, "
        "then each output *.next as the input of the same name; after spikenas.time_steps steps, scores are "
        "the network's."
    ),
}
