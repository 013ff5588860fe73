"""Random valid Graphs: every node and edge type, odd sizes, both leaks, both resets, extreme weights, 8, 4 and 2 bits.

Used by the property tests of all rooms: reference, torch, ONNX, TFLite and C are compared on the same networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from toolchain.graph import reference
from toolchain.graph.bounds import lif_bounds
from toolchain.graph.checks import require_valid
from toolchain.graph.codes import MAX_CODE, MAX_CODE_SHIFT, WIDTHS
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    MIN_EXPONENT,
    Edge,
    Head,
    Input,
    Leak,
    Lif,
    Node,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
    conv_output,
)
from toolchain.graph.preprocessing import Preprocessing

LEAKS = (Leak("none", 1), Leak("subtract", 1), Leak("subtract", 3), Leak("shift", 1), Leak("shift", 2))


def random_graph(seed: int, framed: bool | None = None) -> Graph:
    """A valid Graph with weights: pixel stem, two or three spiking nodes with mixed edges, maybe a shrink, a head.

    ``framed``: pixels are frames of events, one a time step; None: in one graph of four.
    """
    rng = np.random.default_rng(seed)
    time_steps = int(rng.integers(1, 9))
    pixels = Shape(int(rng.choice([1, 2, 3])), int(rng.integers(4, 12)), int(rng.integers(4, 12)))
    preprocessing = Preprocessing(pixels.height, pixels.width, "as_is")
    if seed % 4 == 3 if framed is None else framed:
        time_steps, pixels = max(2, time_steps), pixels._replace(channels=2)
        events = EventFrames(time_steps, 1000 + seed, 3, 2 * pixels.height, 3 * pixels.width)
        preprocessing = Preprocessing(pixels.height, pixels.width, "polarity", events=events)
    nodes: list[Node] = [Input("pixels", pixels, preprocessing.frames)]
    kernel, stride = int(rng.choice([1, 3])), int(rng.choice([1, 2]))
    channels = int(rng.choice([1, 3, 16, 17, 33]))
    shape = Shape(channels, *conv_output(pixels, kernel, stride))
    nodes.append(_lif(rng, "stem", shape, (_pixel_conv(rng, pixels, shape, kernel, stride),), time_steps))
    maps = ["stem"]
    for index in range(int(rng.integers(1, 4))):
        edges = [_edge(rng, source, shape) for source in rng.permutation(maps)[: rng.integers(1, 4)]]
        nodes.append(_lif(rng, f"node{index}", shape, tuple(edges), time_steps))
        maps.append(f"node{index}")
    last = maps[-1]
    if shape.height > 1 and shape.width > 1 and rng.random() < 0.7:
        last, shape = _shrink(rng, nodes, last, shape, time_steps)
    features = str(rng.choice(["count", "flatten"]))
    classes = int(rng.integers(2, 11))
    size = shape.channels if features == "count" else shape.size
    # Nodes that nothing reads would be dead; a skip from each into the last keeps the graph valid.
    nodes = _drop_unread(nodes, last)
    nodes.append(
        Head(
            "head",
            last,
            classes,
            features,  # type: ignore[arg-type]
            rng.integers(-128, 128, (classes, size)).astype(np.int8),
            rng.integers(-5000, 5000, classes).astype(np.int32),
            int(rng.integers(4, 12)),
        )
    )
    graph = Graph(
        tuple(nodes),
        time_steps,
        preprocessing,
        tuple(f"class {k}" for k in range(classes)),
    )
    graph = _lively(in_random_bits(graph, seed), seed)
    require_valid(graph, "random graph", weights=True)
    return graph


def in_random_bits(graph: Graph, seed: int) -> Graph:
    """``graph`` with the weights of each node that reads spikes stored in 8, 4 or 2 bits, at random."""
    rng = np.random.default_rng((seed, 1))
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Head) or (isinstance(node, Lif) and any(map(_convolves, node.edges))):
            node = in_bits(node, int(rng.choice(WIDTHS)), rng)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def in_bits(node: Any, bits: int, rng: np.random.Generator) -> Any:
    """A ``Lif`` or ``Head`` with its weights made smaller, where need be, for codes of ``bits`` bits to hold them.

    Nothing grows, so no bound is broken. Shifts are those that keep most of a channel's weights, or others.
    """
    if bits == 8:
        return node
    weights = (
        [edge.weight for edge in node.edges if _convolves(edge)] if isinstance(node, Lif) else [node.weight]
    )
    flat = np.concatenate([weight.reshape(len(weight), -1) for weight in weights], axis=1).astype(int)
    fitting = [int(most).bit_length() - (bits - 1) for most in np.abs(flat).max(axis=1)]
    shift = np.clip(fitting + rng.integers(-2, 2, len(fitting)), 0, MAX_CODE_SHIFT).astype(np.uint8)

    def stored(weight: Any) -> Any:
        step = (1 << shift.astype(int)).reshape(-1, *[1] * (weight.ndim - 1))
        code = np.sign(weight) * np.minimum(np.abs(weight.astype(int)) // step, MAX_CODE[bits])
        return (code * step).astype(np.int8)

    if isinstance(node, Head):
        return replace(node, weight=stored(node.weight), bits=bits, code_shift=shift)
    edges = tuple(
        replace(edge, weight=stored(edge.weight)) if _convolves(edge) else edge for edge in node.edges
    )
    return replace(node, edges=edges, bits=bits, code_shift=shift)


def _convolves(edge: Edge) -> bool:
    return isinstance(edge, SpikeConv)


def random_images(graph: Graph, count: int, seed: int = 0) -> Any:
    """``count`` images or samples of frames for ``graph``: noise, all-black and all-white among them."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *graph.input.extents)).astype(np.uint8)
    images[0] = 255
    if count > 1:
        images[1] = 0
    return images


def with_wrong_weight(graph: Graph) -> Graph:
    """``graph`` with one stem weight off by one: what every comparison must notice on some image."""
    stem = next(node for node in graph.all(Lif))
    edge = stem.edges[0]
    assert isinstance(edge, PixelConv) and edge.weight is not None
    weight = edge.weight.copy()
    weight.flat[0] += 1 if weight.flat[0] < 127 else -1
    changed = replace(stem, edges=(replace(edge, weight=weight),))
    return replace(graph, nodes=tuple(changed if node is stem else node for node in graph.nodes))


def sensitive_graph(count: int) -> Graph:
    """The first random network in whose scores, of ``count`` random images, one weight off by one shows."""
    for seed in range(100):
        graph = random_graph(seed)
        images = random_images(graph, count)
        if (reference.scores(graph, images) != reference.scores(with_wrong_weight(graph), images)).any():
            return graph
    raise AssertionError("no random network notices its weights")


def _lively(graph: Graph, seed: int) -> Graph:
    """``graph`` with thresholds among the currents that images cause: a node that never fires tests nothing."""
    images = random_images(graph, 8, seed).astype(np.int64)
    steps: dict[str, list[Any]] = {graph.input.name: [images] * graph.time_steps}
    if graph.input.frames > 1:
        steps[graph.input.name] = list(images.swapaxes(0, 1))
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            currents = [
                reference.node_current(node, {edge.source: steps[edge.source][step] for edge in node.edges})
                for step in range(graph.time_steps)
            ]
            node = _threshold_among(node, np.stack(currents), graph.time_steps)
            potential = np.zeros_like(currents[0])
            steps[node.name] = []
            for current in currents:
                spikes, potential = reference.fire(node, potential, current)
                steps[node.name].append(spikes)
        elif isinstance(node, OrPool):
            steps[node.name] = [reference.or_pool(spikes) for spikes in steps[node.source]]
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _threshold_among(node: Lif, currents: Any, time_steps: int) -> Lif:
    """Thresholds at the upper quartile of each channel's ``currents`` [T, n, C, H, W], where the bounds allow it."""
    wanted = np.percentile(currents, 75, axis=(0, 1, 3, 4)).astype(np.int64)
    usable = np.where(wanted >= 1, np.minimum(wanted, 30_000), node.threshold).astype(np.int16)
    lively = replace(node, threshold=usable)
    fits = lif_bounds(lively, time_steps).fits
    return replace(node, threshold=np.where(fits, usable, node.threshold).astype(np.int16))


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    weight = rng.integers(-128, 128, shape)
    sparse = rng.random(shape) < rng.choice([0.3, 0.7, 1.0])
    return (weight * sparse).astype(np.int8)


def _pixel_conv(rng: np.random.Generator, pixels: Shape, shape: Shape, kernel: int, stride: int) -> PixelConv:
    weight = _weights(rng, (shape.channels, pixels.channels, kernel, kernel))
    # Roundings that leave currents of 7 to 12 bits, so that an image makes a difference.
    largest = 255 * np.abs(weight.astype(np.int64)).reshape(shape.channels, -1).sum(1)
    bits = np.array([int(value).bit_length() for value in largest])
    rounding = np.maximum(bits - rng.integers(7, 13, shape.channels), 0)
    return PixelConv("pixels", kernel, stride, weight, rounding.astype(np.uint8))


def _edge(rng: np.random.Generator, source: str, shape: Shape) -> Edge:
    kind = rng.integers(0, 4)
    if kind == 0:
        return Skip(source)
    if kind == 1:
        return Pool(source)
    kernel = 1 if kind == 2 else 3
    return SpikeConv(source, kernel, 1, _weights(rng, (shape.channels, shape.channels, kernel, kernel)))


def _shrink(
    rng: np.random.Generator, nodes: list[Node], last: str, shape: Shape, steps: int
) -> tuple[str, Shape]:
    if rng.random() < 0.5:
        smaller = Shape(shape.channels, shape.height // 2, shape.width // 2)
        nodes.append(OrPool("shrink", smaller, last))
        return "shrink", smaller
    kernel = int(rng.choice([1, 3]))
    smaller = Shape(int(rng.choice([4, 16, 20])), *conv_output(shape, kernel, 2))
    weight = _weights(rng, (smaller.channels, shape.channels, kernel, kernel))
    nodes.append(_lif(rng, "shrink", smaller, (SpikeConv(last, kernel, 2, weight),), steps))
    return "shrink", smaller


def _lif(rng: np.random.Generator, name: str, shape: Shape, edges: tuple[Edge, ...], time_steps: int) -> Lif:
    channels = shape.channels
    node = Lif(
        name,
        shape,
        edges,
        LEAKS[rng.integers(0, len(LEAKS))],
        str(rng.choice(["subtract", "zero"])),  # type: ignore[arg-type]
        rng.integers(-200, 200, channels).astype(np.int16),
        rng.integers(1, 600, channels).astype(np.int16),
        rng.integers(MIN_EXPONENT, 11, channels).astype(np.uint8),
    )
    return _made_to_fit(node, time_steps)


def _made_to_fit(node: Lif, time_steps: int) -> Lif:
    """Silence weights of channels that could leave int16, and halve their other drives, until none can."""
    while True:
        broken = ~lif_bounds(node, time_steps).fits
        if not broken.any():
            return node
        edges = []
        for edge in node.edges:
            if isinstance(edge, SpikeConv):
                weight = edge.weight.copy()  # type: ignore[union-attr]
                weight[broken] //= 2
                weight[broken & (np.abs(weight).max(axis=(1, 2, 3)) <= 1)] = 0
                edge = replace(edge, weight=weight)
            elif isinstance(edge, PixelConv):
                rounding = edge.rounding.copy()  # type: ignore[union-attr]
                rounding[broken] += 1
                edge = replace(edge, rounding=rounding)
            edges.append(edge)
        exponent = np.maximum(node.exponent - broken.astype(np.uint8), MIN_EXPONENT).astype(np.uint8)  # type: ignore[operator]
        node = replace(
            node, edges=tuple(edges), exponent=exponent, bias=np.where(broken, 0, node.bias).astype(np.int16)
        )  # type: ignore[operator]


def _drop_unread(nodes: list[Node], last: str) -> list[Node]:
    """Remove nodes that no path to ``last`` uses."""
    from toolchain.graph.graph import sources

    by_name = {node.name: node for node in nodes}
    keep, todo = set(), [last]
    while todo:
        name = todo.pop()
        if name not in keep:
            keep.add(name)
            todo.extend(sources(by_name[name]))
    return [node for node in nodes if node.name in keep]


def of_numbers(graph: Graph, outputs: int | None = None) -> Graph:
    """``graph`` as a regression: its first ``outputs`` scores (all: None) are numbers, whose units differ."""
    head, count = graph.head, graph.head.classes if outputs is None else outputs
    assert head.weight is not None and head.bias is not None
    head = replace(
        head,
        classes=count,
        weight=head.weight[:count],
        bias=head.bias[:count],
        code_shift=None if head.code_shift is None else head.code_shift[:count],
        shifts=tuple((-3, 0, 5, -30, 30)[k % 5] for k in range(count)),
    )
    return replace(graph, nodes=(*graph.nodes[:-1], head), labels=tuple(f"number {k}" for k in range(count)))
