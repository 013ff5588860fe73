"""A network as one TFLite model with all time steps inside.

``image`` uint8 [1, H, W, C] -> ``scores`` int32 [1, classes]; the batch may be resized. A network that takes frames has
those of one sample in the place of the batch, [T, H, W, C], which then stays as it is.
"""

from __future__ import annotations

import json

from exporters import metadata
from exporters.tflite.builder import Builder
from exporters.tflite.lowering import Step, lower, read_out, reset_potentials
from toolchain.graph.graph import Graph

METADATA = metadata.KEY
"""Name of the metadata buffer that holds the facts as JSON."""


def build(graph: Graph, profile: str) -> bytes:
    """Lower a valid Graph with weights to a TFLite file's content."""
    builder = Builder()
    step = lower(Step(graph, builder, 0))
    for index in range(1, graph.time_steps):
        step = lower(Step(graph, builder, index, reset_potentials(step), step.counts))
    assert step.counts is not None
    facts = json.dumps(metadata.facts(graph, profile, "unrolled")).encode()
    output = read_out(graph, builder, step.counts)
    return builder.model([output], {METADATA: facts}, metadata.GENERATOR)
