"""Layers drawn at random, one a case: a valid network whose one layer gets spikes or pixels of its own.

Weights, biases and thresholds are pushed to the bounds that ``toolchain.graph.bounds`` proves, since between them and
int16 nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tests.exporters.c.kernels.extremes import at_bounds, drawn_weights, head_at_bounds
from tests.support.graphs import in_bits
from toolchain.graph import reference
from toolchain.graph.bounds import INT16_MAX, lif_bounds
from toolchain.graph.checks import require_valid
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    MAX_EXPONENT,
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
from toolchain.schedules import Schedule

Rng = np.random.Generator
Spikes = NDArray[np.uint8]

KERNELS = (
    *("snn_pixel", "snn_frames", "snn_spike_8", "snn_spike_4", "snn_spike_2", "snn_pass", "snn_or_pool"),
    *("snn_head", "snn_packed_head"),
)
STEP_KERNELS = {
    "snn_pixel_step": ("snn_pixel", "snn_frames"),
    **{f"{kernel}_step": (kernel,) for kernel in ("snn_spike_8", "snn_spike_4", "snn_spike_2", "snn_pass")},
    "snn_count_step": ("snn_head",),
    "snn_head_step": ("snn_head",),
    "snn_packed_head_step": ("snn_packed_head",),
}
"""The kernels of a stream, which run one time step, and those whose layers they run."""

DENSITIES = (0.0, 0.05, 0.2, 0.5, 1.0)
MAX_CHANNELS, MAX_SIDE, MAX_TIME_STEPS = 70, 9, 8
LEAKS = (Leak("none", 1), *(Leak(form, shift) for form in ("subtract", "shift") for shift in (1, 2, 5, 15)))  # type: ignore[arg-type]
LAYER, HEAD = "layer", "head"
_CHANNELS = (1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 70)


@dataclass(frozen=True, eq=False)
class Case:
    """What one call of a kernel is given, and what it must give.

    ``spikes``: of each map that the node ``node`` of ``graph`` reads, uint8 [T, C, H, W]; ``image``: uint8 of the
    input's extents; ``share``: whether the rows of neurons that fire in two time steps are added once for both;
    ``step``: the one time step that a kernel of a stream runs, None for one that runs them all.
    """

    seed: int
    kernel: str
    graph: Graph
    node: str
    spikes: dict[str, Spikes]
    image: Spikes
    share: int
    step: int | None = None

    @cached_property
    def expected(self) -> NDArray[Any]:
        """The node's spikes uint8 [T, C, H, W], or the head's scores int32 [classes], by the reference."""
        node, steps = self.graph.node(self.node), range(self.graph.time_steps)
        if isinstance(node, Head):
            return reference.head_scores(self.graph, self.spikes[node.source][:, np.newaxis])[0]
        if isinstance(node, OrPool):
            return np.stack([reference.or_pool(self._maps(t)[node.source])[0] for t in steps]).astype(
                np.uint8
            )
        assert isinstance(node, Lif)
        return np.stack([spikes for spikes, _ in self.history])

    @cached_property
    def history(self) -> list[tuple[Spikes, NDArray[np.int64]]]:
        """Spikes and potentials [C, H, W] of the layer after each time step."""
        node = self.graph.node(self.node)
        assert isinstance(node, Lif)
        potential, found = np.zeros((1, *node.shape), np.int64), []
        for step in range(self.graph.time_steps):
            spikes, potential = reference.fire(node, potential, self._current(node, step))
            found.append((spikes[0].astype(np.uint8), potential[0]))
        return found

    @property
    def schedule(self) -> Schedule:
        """In which order the network runs."""
        return "layers" if self.step is None else "steps"

    @property
    def frame(self) -> Spikes:
        """The pixels that the call is given."""
        return self.image if self.step is None or self.graph.input.frames == 1 else self.image[self.step]

    @cached_property
    def outcome(self) -> NDArray[Any]:
        """What the call changes: ``expected``; by one time step of a stream, its spikes and potentials, or counts."""
        if self.step is None or self.kernel.endswith("head_step"):
            return self.expected
        return self.counts(self.step + 1) if self.node == HEAD else np.stack(self.history[self.step])

    def counts(self, steps: int) -> NDArray[np.int64]:
        """The head's counts after so many time steps, in the order in which firmware keeps them."""
        head = self.graph.head
        fired = self.spikes[head.source][:steps].sum(axis=0, dtype=np.int64)
        return fired.sum(axis=(1, 2)) if head.features == "count" else fired.transpose(1, 2, 0).reshape(-1)

    def drive(self, step: int) -> NDArray[np.int64]:
        """The currents of the layer in a time step, int64 [C, H, W]."""
        node = self.graph.node(self.node)
        assert isinstance(node, Lif)
        return self._current(node, step)[0]

    def with_node(self, node: Node) -> Case:
        """The same with ``node`` in place of the one of its name."""
        nodes = tuple(node if other.name == node.name else other for other in self.graph.nodes)
        return replace(self, graph=replace(self.graph, nodes=nodes))

    def _current(self, node: Lif, step: int) -> NDArray[np.int64]:
        return reference.node_current(node, self._maps(step))

    def _maps(self, step: int) -> dict[str, NDArray[np.int64]]:
        maps = {name: spikes[step][np.newaxis].astype(np.int64) for name, spikes in self.spikes.items()}
        image = self.image if self.graph.input.frames == 1 else self.image[step]
        return maps | {self.graph.input.name: image[np.newaxis].astype(np.int64)}


def draw(kernel: str, seed: int, work: float = 1e5) -> Case:
    """A case for ``kernel``; the same for the same ``seed``. ``work``: most additions of a row of weights."""
    if kernel in STEP_KERNELS:
        layers = STEP_KERNELS[kernel]
        whole = draw(layers[seed % len(layers)], seed, work)
        last = whole.graph.time_steps - 1
        # Scores are asked for when a stream ends, for one.
        return replace(
            whole, kernel=kernel, step=last if kernel.endswith("head_step") else seed // 2 % (last + 1)
        )
    rng = np.random.default_rng((KERNELS.index(kernel), seed))
    if kernel in ("snn_pixel", "snn_frames"):
        case = _of_pixels(rng, kernel, seed)
    elif kernel in ("snn_spike_8", "snn_spike_4", "snn_spike_2", "snn_pass"):
        case = _of_spikes(rng, kernel, seed, work)
    else:
        case = _of_maps(rng, kernel, seed)
    require_valid(case.graph, f"{kernel} {seed}", weights=True)
    return case


def _of_pixels(rng: Rng, kernel: str, seed: int) -> Case:
    frames = kernel == "snn_frames"
    time_steps = int(rng.integers(2 if frames else 1, MAX_TIME_STEPS + 1))
    pixels = Shape(2 if frames else int(rng.integers(1, 6)), *_sides(rng))
    size, stride = int(rng.choice([1, 3])), int(rng.choice([1, 2]))
    shape = Shape(_channels(rng), *conv_output(pixels, size, stride))
    weight = drawn_weights(rng, (shape.channels, pixels.channels, size, size))
    rounding = rng.integers(0, rng.choice([1, 9]), shape.channels).astype(np.uint8)
    layer = _layer(rng, shape, (PixelConv("pixels", size, stride, weight, rounding),))
    drawn = _case(
        rng, seed, kernel, _input(pixels, time_steps, frames), [at_bounds(rng, layer, time_steps)], time_steps
    )
    return _sharp(rng, drawn)


def _of_spikes(rng: Rng, kernel: str, seed: int, work: float) -> Case:
    # Windows of more rows than the sums of a kernel hold before they have to be emptied.
    deep = kernel != "snn_pass" and rng.random() < 0.3
    while True:
        time_steps = int(rng.integers(1, 4 if deep else MAX_TIME_STEPS + 1))
        full, halves = Shape(1, *([3, 3] if deep else _sides(rng))), bool(rng.random() < 0.4)
        shape = Shape(_channels(rng), *(conv_output(full, 1, 2) if halves else full[1:]))
        sources, edges = _edges(rng, kernel, full, shape, deep)
        density = float(rng.choice(DENSITIES[-2:] if deep else DENSITIES))
        rows = sum(
            edge.weight[0].size for edge in edges if isinstance(edge, SpikeConv) and edge.weight is not None
        )
        blocks = -(-shape.channels // 16)
        if shape.height * shape.width * time_steps * blocks * (rows * density + 4 * len(edges)) <= work:
            break
    layer = _layer(rng, shape, tuple(edges))
    if kernel in ("snn_spike_4", "snn_spike_2"):
        layer = in_bits(layer, int(kernel[-1]), rng)
    layer = at_bounds(rng, layer, time_steps)
    case = _case(rng, seed, kernel, _input(full, time_steps, False), [*sources, layer], time_steps)
    drawn = {node.name: _spikes(rng, time_steps, node.shape, density) for node in sources}
    if density and rng.random() < 0.5:
        drawn = _toward_the_bound(rng, layer, drawn)
    return _sharp(rng, replace(case, spikes=drawn))


def _of_maps(rng: Rng, kernel: str, seed: int) -> Case:
    time_steps = int(rng.integers(1, MAX_TIME_STEPS + 1))
    pools = kernel == "snn_or_pool"
    shape = Shape(_channels(rng), *np.maximum(_sides(rng), 2 if pools else 1).tolist())
    nodes: list[Node] = [_source("a", shape, 1)]
    if pools:
        nodes.append(OrPool(LAYER, Shape(shape.channels, shape.height // 2, shape.width // 2), "a"))
    case = _case(rng, seed, kernel, _input(shape._replace(channels=1), time_steps, False), nodes, time_steps)
    return replace(case, spikes={"a": _spikes(rng, time_steps, shape, float(rng.choice(DENSITIES)))})


def _case(rng: Rng, seed: int, kernel: str, source: Input, nodes: list[Any], time_steps: int) -> Case:
    """A case of the last of ``nodes``, or of the head that reads it."""
    last, classes = nodes[-1], int(rng.integers(1, 8))
    features: Literal["count", "flatten"] = "count" if rng.random() < 0.5 else "flatten"
    size = last.shape.channels if features == "count" else last.shape.size
    weight = drawn_weights(rng, (classes, size))
    head = Head(HEAD, last.name, classes, features, weight, np.zeros(classes, np.int32), 4)
    if kernel == "snn_packed_head":
        head = in_bits(head, int(rng.choice([4, 2])), rng)
    events = source.frames > 1
    frames = EventFrames(time_steps, 1000, 3, source.shape.height, source.shape.width) if events else None
    graph = Graph(
        (source, *nodes, head),
        time_steps,
        Preprocessing(
            source.shape.height, source.shape.width, "polarity" if events else "as_is", events=frames
        ),
        tuple(f"class {k}" for k in range(classes)),
    )
    graph = replace(graph, nodes=(*graph.nodes[:-1], head_at_bounds(rng, graph)))
    style = rng.integers(0, 3)
    image = rng.integers(0, 256, source.extents) if style else rng.choice([0, 255], source.extents)
    heads = "head" in kernel
    return Case(
        seed, kernel, graph, HEAD if heads else LAYER, {}, image.astype(np.uint8), int(rng.integers(0, 2))
    )


def _edges(rng: Rng, kernel: str, full: Shape, shape: Shape, deep: bool) -> tuple[list[Lif], list[Edge]]:
    """Up to four edges into a map of ``shape``, and the maps that they read; some read the same one."""
    sources: list[Lif] = []
    edges: list[Edge] = []
    kinds = ["skip", "pool"] if kernel == "snn_pass" else ["convolution", "skip", "pool"]
    for index in range(int(rng.integers(1, 5))):
        # A layer with weights has a convolution.
        kind = kinds[0] if index == 0 and kernel != "snn_pass" else str(rng.choice(kinds))
        same = kind != "convolution"
        strides = 1 if same or full[1:] == shape[1:] or rng.random() < 0.5 else 2
        sides = full[1:] if strides == 2 else shape[1:]
        channels = (
            shape.channels if same else MAX_CHANNELS - int(rng.integers(0, 8)) if deep else _channels(rng)
        )
        known = [
            node
            for node in sources
            if node.shape[1:] == sides and (not same or node.shape.channels == channels)
        ]
        if known and rng.random() < 0.3:
            source = known[int(rng.integers(0, len(known)))]
        else:
            source = _source("abcd"[index], Shape(channels, *sides), 1 if sides == full[1:] else 2)
            sources.append(source)
        if kind == "convolution":
            size = 3 if deep else int(rng.choice([1, 3]))
            weight = drawn_weights(rng, (shape.channels, source.shape.channels, size, size))
            edges.append(SpikeConv(source.name, size, strides, weight))
        else:
            edges.append(Skip(source.name) if kind == "skip" else Pool(source.name))
    return sources, edges


def _sides(rng: Rng) -> list[int]:
    return [int(side) for side in rng.integers(1, MAX_SIDE + 1, 2)]


def _channels(rng: Rng) -> int:
    """Whole blocks, and broken ones around them, more often than other numbers."""
    return int(rng.choice(_CHANNELS) if rng.random() < 0.7 else rng.integers(1, MAX_CHANNELS + 1))


def _layer(rng: Rng, shape: Shape, edges: tuple[Edge, ...]) -> Lif:
    channels = shape.channels
    highest = int(rng.choice([1, 64, 1000, 32767]))
    return Lif(
        LAYER,
        shape,
        edges,
        LEAKS[int(rng.integers(0, len(LEAKS)))],
        "subtract" if rng.random() < 0.5 else "zero",
        np.zeros(channels, np.int16),
        rng.integers(1, highest + 1, channels).astype(np.int16),
        rng.integers(MIN_EXPONENT, MAX_EXPONENT + 1, channels).astype(np.uint8),
    )


def _source(name: str, shape: Shape, stride: int) -> Lif:
    """A map whose spikes are drawn: what its own neurons would do is never asked."""
    zeros, ones = np.zeros(shape.channels, np.int16), np.ones(shape.channels, np.int16)
    weight = np.zeros((shape.channels, 1, 1, 1), np.int8)
    edge = PixelConv("pixels", 1, stride, weight, np.zeros(shape.channels, np.uint8))
    return Lif(
        name, shape, (edge,), bias=zeros, threshold=ones, exponent=np.full(shape.channels, 3, np.uint8)
    )


def _input(shape: Shape, time_steps: int, frames: bool) -> Input:
    return Input("pixels", shape, time_steps if frames else 1)


def _spikes(rng: Rng, time_steps: int, shape: Shape, density: float) -> Spikes:
    """Spikes alone or in clusters, new in each time step or mostly those of the step before."""
    extents = (time_steps, *shape)
    chance = np.full(extents, density)
    if 0 < density < 1 and rng.random() < 0.4:
        # Channels that always fire beside silent ones, and likewise rows of the map.
        chance = np.broadcast_to(rng.random((1, shape.channels, shape.height, 1)) < density, extents) * 0.95
    fired = rng.random(extents) < chance
    if rng.random() < 0.5:
        for step in range(1, time_steps):
            stays = rng.random(shape) < 0.8
            fired[step] = np.where(stays, fired[step - 1], fired[step])
    return fired.astype(np.uint8)


def _toward_the_bound(rng: Rng, layer: Lif, drawn: dict[str, Spikes]) -> dict[str, Spikes]:
    """All neurons fire whose weights drive one output channel of ``layer`` one way, and no others."""
    channel, up = int(rng.integers(0, layer.shape.channels)), bool(rng.random() < 0.5)
    found = dict(drawn)
    for edge in layer.edges:
        drives: Any = up
        if isinstance(edge, SpikeConv) and edge.weight is not None:
            drive = edge.weight[channel].astype(int).sum((1, 2))
            drives = (drive > 0 if up else drive < 0)[:, np.newaxis, np.newaxis]
        found[edge.source] = np.broadcast_to(drives, drawn[edge.source].shape).astype(np.uint8)
    return found


def _sharp(rng: Rng, case: Case) -> Case:
    """``case`` with thresholds, of some channels, at potentials that occur or one above: a unit then shows."""
    layer = case.graph.node(LAYER)
    assert isinstance(layer, Lif) and layer.threshold is not None
    potential, steps = np.zeros(layer.shape, np.int64), []
    for step in range(case.graph.time_steps):
        potential = layer.leak.apply(potential) + case.drive(step)
        steps.append(potential.reshape(layer.shape.channels, -1))
    reached = np.stack(steps, axis=1)
    # A neuron's highest potential so far it would reach too if it fired there for the first time.
    highest = np.maximum.accumulate(reached, axis=1)
    # Where it was below zero the step before, the leak rounds away from zero.
    turned = np.zeros(reached.shape, np.bool_)
    turned[:, 1:] = (reached[:, :-1] < 0) & (reached[:, 1:] == highest[:, 1:])
    candidates = [
        high[turn] if turn.any() else high.ravel() for high, turn in zip(highest, turned, strict=True)
    ]
    chosen = np.array([int(rng.choice(values)) for values in candidates])
    chosen += rng.integers(0, 2, len(chosen))  # which a neuron just reaches, or just does not
    wanted = (rng.random(len(chosen)) < 0.7) & (chosen >= 1)
    sharp = replace(
        layer, threshold=np.where(wanted, chosen, layer.threshold).clip(1, INT16_MAX).astype(np.int16)
    )
    fits = lif_bounds(sharp, case.graph.time_steps).fits
    return case.with_node(
        replace(sharp, threshold=np.where(fits, sharp.threshold, layer.threshold).astype(np.int16))
    )
