"""Bits of each layer: which nodes may be stored in less, and a Graph in which they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, SpikeConv


def narrowable(graph: Graph) -> dict[str, int]:
    """Bits of the nodes whose weights may have fewer than 8, by name: those that convolve spikes, and the head."""
    return {
        node.name: node.bits
        for node in graph.nodes
        if isinstance(node, Head)
        or isinstance(node, Lif)
        and any(isinstance(edge, SpikeConv) for edge in node.edges)
    }


def with_bits(graph: Graph, bits: Mapping[str, int]) -> Graph:
    """``graph``, which has no weights yet, with these ``bits`` by name; other nodes keep theirs."""
    return replace(
        graph,
        nodes=tuple(
            replace(node, bits=bits[node.name])
            if isinstance(node, Head | Lif) and node.name in bits
            else node
            for node in graph.nodes
        ),
    )
