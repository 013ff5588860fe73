"""Rules about the numbers in the nodes: forms of arrays, ranges of constants, widths of weights, and no overflow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from toolchain.graph import bounds
from toolchain.graph.codes import MAX_CODE, MAX_CODE_SHIFT, WIDTHS, representable
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    MAX_EXPONENT,
    MAX_ROUNDING,
    MAX_SHIFT,
    MIN_EXPONENT,
    Array,
    Head,
    Lif,
    PixelConv,
    SpikeConv,
)
from toolchain.graph.rules import Broken


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
