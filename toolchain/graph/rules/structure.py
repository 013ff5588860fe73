"""Rules about the nodes and what connects them: names, order, extents and shapes."""

from __future__ import annotations

import re

from toolchain.graph.graph import MAX_TIME_STEPS, Graph, sources
from toolchain.graph.nodes import Head, Input, Lif, OrPool, PixelConv, Shape, SpikeConv, conv_output
from toolchain.graph.rules import Broken

MAX_CHANNELS, MAX_SIDE, MAX_CLASSES, MAX_NODES = 4096, 4096, 1000, 1000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


def names(graph: Graph) -> Broken:
    """Node names are unique and of the form [a-z][a-z0-9_]*, because firmware symbols are made of them."""
    seen: set[str] = set()
    for node in graph.nodes:
        if not _NAME.fullmatch(node.name):
            yield node.name, "a name must be a lower-case letter followed by at most 47 letters, digits or _"
        if node.name in seen:
            yield node.name, "this name is used twice; rename one of the nodes"
        seen.add(node.name)


def order(graph: Graph) -> Broken:
    """The first node is the one Input, the last the one Head, and each node comes after the nodes it reads."""
    kinds = [type(node) for node in graph.nodes]
    if kinds.count(Input) != 1 or kinds[0] is not Input:
        yield "graph", "the first node, and no other, must be an input"
    if kinds.count(Head) != 1 or kinds[-1] is not Head:
        yield "graph", "the last node, and no other, must be a head"
    seen: set[str] = set()
    for node in graph.nodes:
        for source in sources(node):
            if source not in seen:
                yield node.name, f"reads {source!r}, which does not come before it"
        if isinstance(node, Lif) and not node.edges:
            yield node.name, "has no edge, so it could never fire; remove it"
        seen.add(node.name)


def used(graph: Graph) -> Broken:
    """Every node but the head is read by another; a dead branch would cost memory for nothing."""
    read = {source for node in graph.nodes for source in sources(node)}
    for node in graph.nodes:
        if not isinstance(node, Head) and node.name not in read:
            yield node.name, "is read by no other node; remove it"


def sizes(graph: Graph) -> Broken:
    """Extents are positive and of a sane size; 1 to 8 time steps; as many labels as classes or numbers."""
    if not 1 <= graph.time_steps <= MAX_TIME_STEPS:
        yield "graph", f"has {graph.time_steps} time steps; 1 to {MAX_TIME_STEPS} are possible"
    if len(graph.nodes) > MAX_NODES:
        yield "graph", f"has {len(graph.nodes)} nodes, more than {MAX_NODES}"
    for node in graph.nodes:
        if isinstance(node, Head):
            if not 1 <= node.classes <= MAX_CLASSES:
                yield node.name, f"has {node.classes} classes; 1 to {MAX_CLASSES} are possible"
            elif len(graph.labels) != node.classes:
                yield node.name, f"has {node.classes} classes but {len(graph.labels)} labels"
            elif len(node.shifts) not in (0, node.classes):
                yield node.name, f"has {node.classes} outputs but {len(node.shifts)} shifts"
        elif min(node.shape) < 1 or node.shape.channels > MAX_CHANNELS or max(node.shape[1:]) > MAX_SIDE:
            yield node.name, f"has the shape {tuple(node.shape)}; each extent must be 1 to {MAX_SIDE}"


def pixels(graph: Graph) -> Broken:
    """The input has the height, the width, the channels and the frames that the preprocessing gives."""
    steps, shape = graph.preprocessing, graph.input.shape
    channels = steps.planes or shape.channels
    if shape != (channels, steps.height, steps.width):
        yield (
            graph.input.name,
            f"has the shape {tuple(shape)}, but the preprocessing gives {steps.channels} images of "
            f"{steps.width}x{steps.height}",
        )
    if graph.input.frames != steps.frames:
        yield (
            graph.input.name,
            f"takes {graph.input.frames} frames, but the preprocessing gives {steps.frames}",
        )


def frames(graph: Graph) -> Broken:
    """The pixels are the same in every time step, or there is one frame a step."""
    if graph.input.frames not in (1, graph.time_steps):
        yield (
            graph.input.name,
            f"takes {graph.input.frames} frames, but the network has {graph.time_steps} time steps; there must be one"
            " frame, or one a step",
        )


def connections(graph: Graph) -> Broken:
    """Pixels enter through one pixel convolution that is its node's only edge; all other edges carry spikes."""
    for node in graph.nodes:
        if isinstance(node, Lif):
            for edge in node.edges:
                if isinstance(edge, PixelConv) != isinstance(graph.node(edge.source), Input):
                    yield node.name, f"reads {edge.source!r} through an edge of the wrong type for it"
            if any(isinstance(edge, PixelConv) for edge in node.edges) and len(node.edges) > 1:
                yield (
                    node.name,
                    "has a pixel convolution beside other edges; give the pixels a node of their own",
                )
        elif not isinstance(node, Input) and isinstance(graph.node(node.source), Input):
            yield node.name, "reads pixels, but takes spikes"


def shapes(graph: Graph) -> Broken:
    """Each edge gives a map of its node's shape; skips and pools keep theirs; OR pooling halves the sides."""
    for node in graph.nodes:
        if isinstance(node, OrPool):
            source = graph.source_shape(node.source)
            if node.shape != Shape(source.channels, source.height // 2, source.width // 2):
                yield node.name, f"OR pooling of {tuple(source)} does not give {tuple(node.shape)}"
        if not isinstance(node, Lif):
            continue
        for edge in node.edges:
            source = graph.source_shape(edge.source)
            if isinstance(edge, (PixelConv, SpikeConv)):
                if edge.kernel not in (1, 3) or edge.stride not in (1, 2):
                    yield (
                        node.name,
                        f"has a {edge.kernel}x{edge.kernel} kernel with stride {edge.stride}; 1 or 3 with 1 or 2",
                    )
                    continue
                if conv_output(source, edge.kernel, edge.stride) != node.shape[1:]:
                    yield node.name, f"the convolution of {edge.source} does not give {tuple(node.shape)}"
            elif source != node.shape:
                yield (
                    node.name,
                    f"a skip or pool from {edge.source} {tuple(source)} does not fit {tuple(node.shape)}",
                )
