"""The demand of any Graph, node by node."""

from __future__ import annotations

from dataclasses import replace

from toolchain.cost.amounts import Map
from toolchain.cost.arena import arena_bytes, buffers
from toolchain.cost.demand import (
    EVERY_FILE,
    Demand,
    Files,
    head_node,
    or_pool_node,
    pixel_node,
    spike_node,
    total,
    whole_network,
)
from toolchain.cost.facts import data_characters
from toolchain.cost.neurons import FanIn, Neurons, convolutions, dynamics, padded
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Head, Input, Lif, Node, OrPool, PixelConv, Pool, SpikeConv


def graph_demand(graph: Graph, files: Files = EVERY_FILE) -> Demand:
    """What ``graph`` demands, its buffers placed, and as bytes of ``files``; weights are not needed."""
    nodes = [node_demand(graph, node, files) for node in graph.nodes]
    return replace(total(nodes), arena_bytes=arena_bytes(buffers(graph)))


def fan_in(graph: Graph, node: Lif) -> FanIn:
    """The edges into ``node``."""
    shapes = {name: graph.source_shape(name) for name in sources(node)}
    convolved = [edge for edge in node.edges if isinstance(edge, PixelConv | SpikeConv)]
    names = [len(edge.source) for edge in node.edges]
    return FanIn(
        edges=len(node.edges),
        pools=sum(isinstance(edge, Pool) for edge in node.edges),
        convolutions=tuple(
            convolutions(1, edge.kernel, Map(*shapes[edge.source]), Map(*node.shape), edge.stride)
            for edge in convolved
        ),
        elements=sum(shape.size for shape in shapes.values()),
        names=sum(names),
        longest=max(names),
        padded=sum(
            padded(Map(*shapes[edge.source]), Map(*node.shape)) for edge in convolved if edge.kernel > 1
        ),
        frames=graph.input.frames if isinstance(node.edges[0], PixelConv) else 1,
        bits=node.bits,
    )


def node_demand(graph: Graph, node: Node, files: Files = frozenset()) -> Demand:
    """What ``node`` demands, without its buffers."""
    if isinstance(node, Input):
        said = data_characters(graph.labels, graph.preprocessing, graph.head.shifts)
        return whole_network(len(node.name), Map(*node.shape), node.frames, graph.head.classes, said, files)
    if isinstance(node, Head):
        return head_node(
            len(node.name),
            len(node.source),
            Map(*graph.source_shape(node.source)),
            graph.head_features(),
            node.classes,
            int(node.features == "count"),
            graph.time_steps,
            bits=node.bits,
            files=files,
        )
    if isinstance(node, OrPool):
        source = Map(*graph.source_shape(node.source))
        names = len(node.name), Map(*node.shape), len(node.source), source
        return or_pool_node(*names, graph.time_steps, files=files)
    neurons = Neurons(len(node.name), Map(*node.shape), dynamics(graph.time_steps, node.leak, node.reset))
    kind = pixel_node if isinstance(node.edges[0], PixelConv) else spike_node
    return kind(neurons, fan_in(graph, node), files=files)
