"""The demand of any Graph, node by node."""

from __future__ import annotations

from dataclasses import replace

from toolchain.cost.amounts import Map
from toolchain.cost.arena import arena_bytes, buffers
from toolchain.cost.demand import (
    Demand,
    FanIn,
    head_node,
    or_pool_node,
    pixel_node,
    spike_node,
    total,
    whole_network,
)
from toolchain.cost.packing import blocks
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Head, Input, Lif, Node, OrPool, PixelConv, Pool, Skip, SpikeConv


def graph_demand(graph: Graph) -> Demand:
    """What ``graph`` demands, its buffers placed; weights are not needed."""
    nodes = [_node(graph, node) for node in graph.nodes]
    return replace(total(nodes), arena_bytes=arena_bytes(buffers(graph)))


def fan_in(graph: Graph, node: Lif) -> FanIn:
    """Sums over the edges of a node that reads spikes."""
    shapes = {name: graph.source_shape(name) for name in sources(node)}
    convolutions = [
        (edge.kernel**2, shapes[edge.source].channels) for edge in node.edges if isinstance(edge, SpikeConv)
    ]
    return FanIn(
        edges=len(node.edges),
        pools=sum(isinstance(edge, Pool) for edge in node.edges),
        currents=any(isinstance(edge, Skip | Pool) for edge in node.edges),
        taps=sum(area * channels for area, channels in convolutions),
        words=sum(area * blocks(channels) for area, channels in convolutions),
        elements=sum(shape.size for shape in shapes.values()),
    )


def _node(graph: Graph, node: Node) -> Demand:
    if isinstance(node, Input):
        return whole_network(Map(*node.shape), graph.head.classes)
    if isinstance(node, Head):
        return head_node(graph.head_features(), node.classes)
    if isinstance(node, OrPool):
        return or_pool_node(Map(*graph.source_shape(node.source)), Map(*node.shape))
    first = node.edges[0]
    if isinstance(first, PixelConv):
        source = Map(*graph.source_shape(first.source))
        return pixel_node(source, Map(*node.shape), first.kernel, graph.time_steps)
    return spike_node(Map(*node.shape), fan_in(graph, node), graph.time_steps)
