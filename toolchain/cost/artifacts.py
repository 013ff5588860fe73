"""Bytes of the files for Linux boards, and what running them takes, predicted before they exist.

A file is never larger than predicted. What training decides is taken at its longest, so it is smaller by up to a
byte for each channel of its neurons, and a TFLite file by up to 60 more for alignment. Memory and latency are
estimates.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from toolchain.cost import onnx_file, onnx_weights, tensorrt_file, tflite_file
from toolchain.cost.amounts import Amount, Estimate, larger, rounded
from toolchain.cost.demand import Demand
from toolchain.cost.facts import name_characters
from toolchain.cost.graph_demand import graph_demand
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

FLOAT_BYTES = 4

TARGETS = ("cpu", "linux", "tensorrt")
"""Targets whose files are predicted."""

ON_PROCESSOR = ("cpu", "linux")
"""Those whose memory and latency are estimated too; nothing is known of what TensorRT takes on a GPU."""


class _Memory(NamedTuple):
    """Bytes that a runtime takes to open any network, for each of what the names say."""

    session: int
    weight: float
    weight_step: float
    node_step: int
    potential_step: float
    working: float


DEFAULTS = {"onnx": "cpu", "tflite": "linux"}
"""The target that a format of Linux boards means."""

_MEMORY = {
    "cpu": _Memory(12_600_000, 13.9, 0, 70_000, 0.4, 25),
    "linux": _Memory(5_200_000, 4.6, 4.4, 49_000, 1.0, 23.3),
}
"""Fitted to 300 networks (2 to 1,900 kB, images of 16x16 to 96x96 pixels) in ONNX Runtime 1.32, tflite-runtime
2.14 and LiteRT on x86-64, such that none took more. Weights become float32, and runtimes keep a copy that is packed
for their kernels: ONNX Runtime one, TFLite one for each time step. Besides there are the operators of all steps, the
potentials that wait for the next one, and what a convolution works on."""


def artifact_bytes(graph: Graph, target: str, profile: Profile) -> int:
    """Size of the largest file of ``graph`` for a target of ``TARGETS`` and this board; weights are not needed."""
    return int(file_bytes(graph_demand(graph), target, profile))


def resident_bytes(graph: Graph, target: str) -> int:
    """Estimated memory that one inference takes above the bare runtime: session, file, float32 weights, maps.

    It is above what was measured on x86-64 by up to a half, mostly by a sixth.
    """
    return int(memory_bytes(graph_demand(graph), target))


def latency_ms(graph: Graph, float_macs_per_second: float) -> float:
    """Estimated milliseconds an image: dense operations and membrane updates at the board's rate.

    Float kernels do not skip zeros. A membrane update counts as ``UPDATE_MACS`` multiply-accumulates.
    """
    return float(image_ms(graph_demand(graph), float_macs_per_second))


def weight_count(graph: Graph) -> int:
    """Weights of all convolutions and the head, from shapes alone."""
    return int(graph_demand(graph).weights)


def file_bytes(demand: Demand, target: str, profile: Profile) -> Amount:
    """``artifact_bytes`` of a network's demand, or of many at once."""
    files: list[Amount] = [getattr(demand, name) for name in files_of(target, profile)]
    written = reduce(larger, files) + name_characters(profile.name)
    if target == "cpu":
        return onnx_file.file_bytes(written)
    if target == "tensorrt":
        return tensorrt_file.file_bytes(written)
    kinds = demand.pools > 0, demand.or_pools > 0, demand.padded > 0
    return tflite_file.file_bytes(written, *kinds)


def files_of(target: str, profile: Profile) -> tuple[str, ...]:
    """Fields of a ``Demand`` that ``file_bytes`` reads for a target."""
    if target == "cpu":
        return ("onnx_int4_bytes",) if has_int4(profile) else ("onnx_bytes",)
    if target == "tensorrt":
        int8 = profile.runtime is not None and profile.runtime.gpu_int8
        return ("tensorrt_bytes", "tensorrt_int8_bytes") if int8 else ("tensorrt_bytes",)
    return ("tflite_bytes",)


def memory_bytes(demand: Demand, target: str) -> Amount:
    """``resident_bytes`` of a network's demand, or of many at once, for a target of ``ON_PROCESSOR``."""
    per, steps = _MEMORY[target], demand.time_steps
    return rounded(
        per.session
        + (per.weight + per.weight_step * steps) * demand.weights
        + per.node_step * (demand.lif_nodes + demand.or_pools) * steps
        + per.potential_step * demand.potentials * steps
        + per.working * demand.working
    )


def has_int4(profile: Profile) -> bool:
    """Whether the board's ONNX Runtime loads INT4."""
    runtime = profile.runtime
    return runtime is not None and onnx_weights.has_int4(runtime.onnx_opset, runtime.onnx_ir_version)


UPDATE_MACS = 8
"""Elementwise passes over a map for one membrane update, each as slow as a multiply-accumulate (estimate).

ONNX Runtime on one x86-64 core (AVX-512) took 1.9 ns for an update and 0.02 ns for a multiply-accumulate of a
convolution, in a fit to six networks; cores with narrower vectors lose less on the passes, which wait for memory.
"""


def image_ms(demand: Demand, float_macs_per_second: float) -> Estimate:
    """``latency_ms`` of a network's demand, or of many at once."""
    return image_macs(demand) / float_macs_per_second * 1e3


def image_macs(demand: Demand) -> Amount:
    """What an image takes, in float32 multiply-accumulates (estimate): dense operations and membrane updates."""
    return demand.operations + UPDATE_MACS * demand.potentials * demand.time_steps
