"""Bytes of the files for Linux boards, and what running them takes, predicted before they exist (estimates).

Weights are stored as int8; what lies around them is proportional to channels, nodes, edges and, in the
unrolled form, time steps. The coefficients were fitted to files of 24 architectures (21 to 320 KB,
two to eight time steps, both heads, both shrinks), which they reproduce within 1.2 %; other leaks and resets
come out within 10 %.
"""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.amounts import Amount, Estimate, rounded
from toolchain.cost.demand import Demand
from toolchain.cost.graph_demand import graph_demand
from toolchain.graph.graph import Graph


class _Overhead(NamedTuple):
    """Bytes around the weights, for each of what the names say."""

    file: float
    channel: float
    node_step: float
    edge_step: float
    node: float
    edge: float
    pooled_channel: float
    step: float


_OVERHEAD = {
    "onnx": _Overhead(1023, 14.9, 628, 263, -399, 172, 22, 74),
    "tflite": _Overhead(6356, 16.2, 912, 209, -1905, 833, 18.4, -221),
}

FLOAT_BYTES = 4
SESSION_BYTES = {"onnx": 10 << 20, "tflite": 3 << 20}
"""What a runtime takes to open any network: 10.9 MB and 3.3 MB for one of 30 KB (measured on x86-64)."""

WEIGHT_COPIES = 2
"""Runtimes keep float32 weights and a copy packed for their kernels."""


def artifact_bytes(graph: Graph, form: str) -> int:
    """Estimated size of the unrolled ``onnx`` or ``tflite`` file of ``graph``; weights are not needed."""
    return int(file_bytes(graph_demand(graph), form))


def resident_bytes(graph: Graph, form: str) -> int:
    """Estimated memory that one inference takes above the bare runtime: session, file, float32 weights, maps.

    Maps are those of all time steps that are alive together, since the unrolled form runs step by step
    while each node's potential stays.
    """
    return int(memory_bytes(graph_demand(graph), form))


def latency_ms(graph: Graph, float_macs_per_second: float) -> float:
    """Estimated milliseconds an image: dense operations at the board's rate; float kernels do not skip zeros."""
    return float(image_ms(graph_demand(graph), float_macs_per_second))


def weight_count(graph: Graph) -> int:
    """Weights of all convolutions and the head, from shapes alone."""
    return int(graph_demand(graph).weights)


def file_bytes(demand: Demand, form: str) -> Amount:
    """``artifact_bytes`` of a network's demand, or of many at once."""
    per, nodes, edges = _OVERHEAD[form], demand.lif_nodes, demand.edges
    return rounded(
        demand.weights
        + per.file
        + per.channel * demand.channels
        + (per.node_step * nodes + per.edge_step * edges + per.step) * demand.time_steps
        + per.node * nodes
        + per.edge * edges
        + per.pooled_channel * demand.pooled_channels
    )


def memory_bytes(demand: Demand, form: str) -> Amount:
    """``resident_bytes`` of a network's demand, or of many at once."""
    maps = (demand.potentials + demand.working) * FLOAT_BYTES
    weights = WEIGHT_COPIES * FLOAT_BYTES * demand.weights
    return SESSION_BYTES[form] + file_bytes(demand, form) + weights + maps


def image_ms(demand: Demand, float_macs_per_second: float) -> Estimate:
    """``latency_ms`` of a network's demand, or of many at once."""
    return demand.operations / float_macs_per_second * 1e3
