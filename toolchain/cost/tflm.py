"""What a network takes in TensorFlow Lite Micro (TFLM), before it has weights: bytes of its file and of the arena."""

from __future__ import annotations

from typing import Literal, NamedTuple

from toolchain.cost.tflm_arena import arena_bytes, buffers, height, place
from toolchain.cost.tflm_file import file_bytes
from toolchain.cost.tflm_lowering import one_step
from toolchain.cost.tflm_schedule import scheduled
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

Form = Literal["unrolled", "step"]


class Prediction(NamedTuple):
    """``file_bytes`` of flash, TFLM's own code apart, and ``arena_bytes`` of SRAM on a 64-bit machine, less on a
    microcontroller."""

    file_bytes: int
    arena_bytes: int


def predicted(graph: Graph, profile: Profile, form: Form = "unrolled") -> Prediction:
    """Those of ``model_micro.tflite``, or of the step form; weights are not needed.

    A file is never larger, and the arena is within 3 % of the smallest that TFLM accepts. Raises ``InputError`` if the
    head could count more spikes than TFLM's kernels do.
    """
    program = scheduled(graph) if form == "unrolled" else one_step(graph)
    found = buffers(program)
    head = height(found, place(found))
    return Prediction(file_bytes(program, graph, form, profile.name), arena_bytes(program, head))
