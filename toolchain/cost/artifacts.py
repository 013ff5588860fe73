"""Bytes of the files for Linux boards, and what running them takes, predicted before they exist (estimates).

Weights are stored as int8; what lies around them is proportional to channels, nodes, edges and, in the
unrolled form, time steps. The coefficients were fitted to files of 24 architectures (21 to 320 KB,
two to eight time steps, both heads, both shrinks), which they reproduce within 1.2 %; other leaks and resets
come out within 10 %.
"""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.operations import operations
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Pool, SpikeConv


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
    per, nodes = _OVERHEAD[form], list(graph.all(Lif))
    edges = sum(len(node.edges) for node in nodes)
    pooled = sum(node.shape.channels for node in nodes for edge in node.edges if isinstance(edge, Pool))
    return round(
        weight_count(graph)
        + per.file
        + per.channel * sum(node.shape.channels for node in nodes)
        + (per.node_step * len(nodes) + per.edge_step * edges + per.step) * graph.time_steps
        + per.node * len(nodes)
        + per.edge * edges
        + per.pooled_channel * pooled
    )


def resident_bytes(graph: Graph, form: str) -> int:
    """Estimated memory that one inference takes above the bare runtime: session, file, float32 weights, maps.

    Maps are those of all time steps that are alive together, since the unrolled form runs step by step
    while each node's potential stays.
    """
    maps = _live_elements(graph) * FLOAT_BYTES
    weights = WEIGHT_COPIES * FLOAT_BYTES * weight_count(graph)
    return SESSION_BYTES[form] + artifact_bytes(graph, form) + weights + maps


def latency_ms(graph: Graph, float_macs_per_second: float) -> float:
    """Estimated milliseconds an image: dense operations at the board's rate; float kernels do not skip zeros."""
    return operations(graph).dense / float_macs_per_second * 1e3


def weight_count(graph: Graph) -> int:
    """Weights of all convolutions and the head, from shapes alone."""
    total = graph.head.classes * graph.head_features()
    for node in graph.all(Lif):
        for edge in node.edges:
            if isinstance(edge, (PixelConv, SpikeConv)):
                total += edge.kernel**2 * graph.source_shape(edge.source).channels * node.shape.channels
    return total


def _live_elements(graph: Graph) -> int:
    """Most map elements alive at one node: its inputs, its current and its output, and every node's potential."""
    potentials = sum(node.shape.size for node in graph.all(Lif))
    working = [
        sum(graph.source_shape(name).size for name in set(sources(node))) + 2 * node.shape.size
        for node in graph.nodes
        if not isinstance(node, (Input, Head))
    ]
    return potentials + max(working, default=0)
