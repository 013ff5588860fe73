"""TFLite files for TensorFlow Lite Micro (TFLM): int16 maps, int8 weights, integer kernels alone, exact.

``model_micro.tflite`` has all time steps inside, ``model_micro_step.tflite`` one, with its state going in and out; see
``toolchain.cost.tflm_lowering`` for their inputs, outputs and arithmetic. Both say where each tensor lies in the arena
(metadata ``OfflineMemoryAllocation``), which TFLM keeps to.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from exporters import metadata
from exporters.metadata import Form, write_artifact
from exporters.tflite.builder import Builder
from exporters.tflite.micro_constants import content
from exporters.tflite.micro_operators import MICRO_OPERATORS
from exporters.tflite.operators import Tensor
from exporters.tflite.unrolled import METADATA
from toolchain.cost.tflm_arena import buffers, place
from toolchain.cost.tflm_lowering import one_step
from toolchain.cost.tflm_program import Program
from toolchain.cost.tflm_schedule import scheduled
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

PLAN = "OfflineMemoryAllocation"
"""Name of the metadata that TFLM looks for."""
PLAN_VERSION = 1

FILES: dict[str, Form] = {"model_micro.tflite": "unrolled", "model_micro_step.tflite": "step"}
"""Artifact -> form; the names are stable."""


def export(graph: Graph, profile: Profile, folder: Path) -> list[Path]:
    """Write ``model_micro.tflite`` and ``model_micro_step.tflite`` into ``folder``.

    They may be exported for any board, since desktops run them as well. Raises ``InputError`` if the graph is invalid
    or untrained, or has sums that TFLM's kernels do not hold.
    """
    require_valid(graph, "the network", weights=True)
    contents = {name: build(graph, form, profile.name) for name, form in FILES.items()}
    for name, model in contents.items():
        write_artifact(folder / name, model)
    return [folder / name for name in contents]


def build(graph: Graph, form: Form, profile: str) -> bytes:
    """Lower a valid Graph with weights to a TFLite file's content."""
    program = scheduled(graph) if form == "unrolled" else one_step(graph)
    builder = Builder(MICRO_OPERATORS)
    for value in program.values:
        array, scales = None, [value.scale] * value.scales
        if value.constant is not None:
            array, scales = content(graph, value)
        tensor = builder.tensor(value.name, Tensor(value.shape, value.dtype, array))
        if scales:
            builder.quantize(tensor, scales, value.zero_point, value.axis)
    for operation in program.operations:
        builder.emit(operation.kind, operation.inputs, operation.output, **operation.options)
    facts = json.dumps(metadata.facts(graph, profile, form)).encode()
    return builder.model(
        program.outputs,
        {METADATA: facts, PLAN: plan(program)},
        metadata.GENERATOR,
        program.inputs,
    )


def plan(program: Program) -> bytes:
    """The offset of every tensor in the arena, -1 for constants, as TFLM's memory_management.md has it."""
    found = buffers(program)
    offsets = place(found)
    each = [
        int(offsets[found.of[value]]) if value in found.of else -1 for value in range(len(program.values))
    ]
    return np.array([PLAN_VERSION, 1, len(each), *each], np.int32).tobytes()
