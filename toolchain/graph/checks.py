"""What makes a Graph valid: one rule a function, whose docstring is its documentation.

Each rule yields a sentence for every place it is broken; ``findings`` collects them all, so that a
user sees the whole list at once. A Graph without findings can be interpreted, exported and linked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from toolchain.errors import InputError
from toolchain.graph import bounds
from toolchain.graph.codes import MAX_CODE, MAX_CODE_SHIFT, WIDTHS, representable
from toolchain.graph.graph import MAX_TIME_STEPS, Graph, sources
from toolchain.graph.nodes import (
    MAX_EXPONENT,
    MAX_ROUNDING,
    MAX_SHIFT,
    MIN_EXPONENT,
    Array,
    Head,
    Input,
    Lif,
    OrPool,
    PixelConv,
    Shape,
    SpikeConv,
    conv_output,
)

MAX_CHANNELS, MAX_SIDE, MAX_CLASSES, MAX_NODES = 4096, 4096, 1000, 1000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")

Broken = Iterator[tuple[str, str]]
"""Pairs of a node's name and what is wrong with it."""


@dataclass(frozen=True)
class Finding:
    """One broken rule: ``rule`` is the rule's function name, ``node`` where, ``message`` what and how to mend it."""

    rule: str
    node: str
    message: str

    def __str__(self) -> str:
        return f"{self.node}: {self.message} [{self.rule}]"


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


def array_forms(graph: Graph) -> Broken:
    """Arrays that are set have the type and shape that their node's docstring gives."""
    for node in graph.nodes:
        if isinstance(node, Lif):
            channels = node.shape.channels
            for field, dtype in (("bias", "int16"), ("threshold", "int16"), ("exponent", "uint8")):
                yield from _form(node.name, field, getattr(node, field), dtype, (channels,))
            yield from _form(node.name, "code_shift", node.code_shift, "uint8", (channels,))
            for edge in node.edges:
                if isinstance(edge, (PixelConv, SpikeConv)):
                    into = graph.source_shape(edge.source).channels
                    shape = (channels, into, edge.kernel, edge.kernel)
                    yield from _form(node.name, f"weight of {edge.source}", edge.weight, "int8", shape)
                if isinstance(edge, PixelConv):
                    yield from _form(node.name, "rounding", edge.rounding, "uint8", (channels,))
        elif isinstance(node, Head):
            yield from _form(node.name, "weight", node.weight, "int8", (node.classes, graph.head_features()))
            yield from _form(node.name, "bias", node.bias, "int32", (node.classes,))
            yield from _form(node.name, "code_shift", node.code_shift, "uint8", (node.classes,))


def constants(graph: Graph) -> Broken:
    """Exponents are 3 to 12, thresholds at least 1, roundings at most 16, leak shifts 1 to 15; forms are known ones."""
    for node in graph.nodes:
        if isinstance(node, Head) and node.features not in ("count", "flatten"):
            yield node.name, f"has the features {node.features!r}; count and flatten are possible"
        if isinstance(node, Head) and node.exponent is not None and not -24 <= node.exponent <= 48:
            yield node.name, f"has the exponent {node.exponent}; -24 to 48 are possible"
        if isinstance(node, Head) and any(abs(shift) > MAX_SHIFT for shift in node.shifts):
            yield node.name, f"has shifts beyond {MAX_SHIFT}; rescale the targets"
        if not isinstance(node, Lif):
            continue
        if node.leak.form not in ("none", "subtract", "shift") or not 1 <= node.leak.shift <= 15:
            yield node.name, f"has the leak {node.leak.form} by {node.leak.shift}; shifts are 1 to 15"
        if node.reset not in ("subtract", "zero"):
            yield node.name, f"has the reset {node.reset!r}; subtract and zero are possible"
        if node.exponent is not None and not _within(node.exponent, MIN_EXPONENT, MAX_EXPONENT):
            yield node.name, f"has an exponent outside {MIN_EXPONENT} to {MAX_EXPONENT}"
        if node.threshold is not None and not _within(node.threshold, 1, bounds.INT16_MAX):
            yield node.name, "has a threshold under 1"
        for edge in node.edges:
            if (
                isinstance(edge, PixelConv)
                and edge.rounding is not None
                and not _within(edge.rounding, 0, MAX_ROUNDING)
            ):
                yield node.name, f"rounds away more than {MAX_ROUNDING} bits"


def widths(graph: Graph) -> Broken:
    """Weights are stored in 8, 4 or 2 bits; in fewer than 8 only those that read spikes, of which there are some."""
    for node in graph.nodes:
        if not isinstance(node, Lif | Head):
            continue
        if node.bits not in WIDTHS:
            yield node.name, f"stores weights in {node.bits} bits; 8, 4 and 2 are possible"
        elif node.bits != 8 and isinstance(node, Lif) and not _convolves_spikes(node):
            yield node.name, f"has {node.bits} bits but no weights of spikes to store in them; give it 8"


def stored(graph: Graph) -> Broken:
    """A weight of 4 or 2 bits is -7 to 7, or -1 to 1, times 2**shift; shifts are 0 to 6, and 8 bits have none."""
    for node in graph.nodes:
        if not isinstance(node, Lif | Head) or node.code_shift is None:
            continue
        if node.bits == 8:
            yield node.name, "has a shift, which weights of 8 bits do without; remove it"
            continue
        if not _within(node.code_shift, 0, MAX_CODE_SHIFT):
            yield node.name, f"has a shift outside 0 to {MAX_CODE_SHIFT}"
            continue
        for weight in _spike_weights(node):
            broken = np.flatnonzero(~representable(weight, node.code_shift, node.bits))
            if len(broken):
                most = MAX_CODE[node.bits]
                yield (
                    node.name,
                    f"has weights in {len(broken)} channels, first {broken[0]}, that are not -{most} to {most} times "
                    f"2**shift, and so cannot be stored in {node.bits} bits; give it more bits or other shifts",
                )


def no_saturation(graph: Graph) -> Broken:
    """In the worst case no potential or current leaves int16, no accumulator or score reaches 2**24, no count 2**16."""
    if bounds.max_count(graph) > 0xFFFF:
        yield (
            graph.head.name,
            f"counts up to {bounds.max_count(graph)} spikes, more than a uint16 holds; flatten instead",
        )
    if not graph.has_weights:
        return
    for node in graph.all(Lif):
        broken = np.flatnonzero(~bounds.lif_bounds(node, graph.time_steps).fits)
        if len(broken):
            yield (
                node.name,
                f"can leave int16 in {len(broken)} channels, first {broken[0]}; lower their exponents",
            )
    if (bounds.score_bounds(graph) >= bounds.EXACT_FLOAT32).any():
        yield graph.head.name, "can give a score of 2**24 or more; lower its exponent"


# Later rules may look up what earlier ones have made sure of, so a stage with findings ends the list.
STAGES: tuple[tuple[Callable[[Graph], Broken], ...], ...] = (
    (names, order, sizes),
    (used, connections, pixels, frames),
    (shapes, constants, widths),
    (array_forms,),
    (stored, no_saturation),
)


def findings(graph: Graph) -> list[Finding]:
    """Return every broken rule of the first stage that has any; an empty list means the graph is valid."""
    for stage in STAGES:
        found = [Finding(rule.__name__, node, text) for rule in stage for node, text in rule(graph)]
        if found:
            return found
    return []


def require_valid(graph: Graph, origin: str, *, weights: bool = False) -> None:
    """Raise ``InputError`` with every finding; with ``weights`` also if the network has none yet."""
    found = findings(graph)
    if found:
        raise InputError(f"{origin} is not a valid network: " + "; ".join(map(str, found)))
    missing = graph.missing_weights() if weights else []
    if missing:
        raise InputError(
            f"{origin} has no trained weights ({missing[0]} is missing); run `spikenas-deploy train` first"
        )


def _form(node: str, field: str, array: object, dtype: str, shape: tuple[int, ...]) -> Broken:
    if array is None:
        return
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        yield (
            node,
            f"{field} is {getattr(array, 'dtype', '?')}{list(getattr(array, 'shape', ()))}, not {dtype}{list(shape)}",
        )


def _convolves_spikes(node: Lif) -> bool:
    return any(isinstance(edge, SpikeConv) for edge in node.edges)


def _spike_weights(node: Lif | Head) -> Iterator[Array]:
    """Every array of weights of ``node`` that is set and multiplies spikes."""
    holders = [node] if isinstance(node, Head) else [e for e in node.edges if isinstance(e, SpikeConv)]
    return (holder.weight for holder in holders if holder.weight is not None)


def _within(array: Array, low: int, high: int) -> bool:
    return bool(array.size == 0 or (int(array.min()) >= low and int(array.max()) <= high))
