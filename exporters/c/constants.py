"""The read-only C symbols of a network, one for each ``toolchain.cost.packing.Constant``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exporters.c.arrays import (
    given,
    packed_head,
    packed_weights,
    padded,
    pixel_weights,
    pixels_last,
)
from toolchain.cost import kernels
from toolchain.cost.arena import Buffer
from toolchain.cost.packing import blocks, weight_rows
from toolchain.graph.bounds import INT16_MAX
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    MIN_EXPONENT,
    Array,
    Edge,
    Head,
    Lif,
    OrPool,
    PixelConv,
    Pool,
    Skip,
    SpikeConv,
)

Fields = Mapping[str, object]
"""Initializers of a C struct by the name of the field; a mapping stands for a struct within the struct."""

Buffers = Mapping[str, Buffer]
"""The arena's buffers by name."""


@dataclass(frozen=True)
class Values:
    """An array of integers; ``symbol`` is without the network's prefix."""

    symbol: str
    array: Array


@dataclass(frozen=True)
class Structs:
    """Descriptors of the C type ``c_type``; ``several`` makes them an array.

    A field's text that starts with ``&`` is the symbol of another constant, an array; with ``&&``, one that is none.
    """

    symbol: str
    c_type: str
    items: tuple[Fields, ...]
    several: bool = False


Symbol = Values | Structs


def constants(graph: Graph, placed: Buffers, sharing: Collection[str] = ()) -> Iterator[Symbol]:
    """Yield the constants of the nodes of ``graph`` in the order of ``cost.packing``; the graph has weights.

    ``sharing``: names of the nodes that share rows of weights between time steps (``cost.kernel_choice``).
    """
    for node in graph.nodes:
        if isinstance(node, Lif):
            yield from _neuron_constants(node)
            if isinstance(node.edges[0], PixelConv):
                yield from _pixel_node(graph, node, node.edges[0], placed)
            else:
                yield from _spike_node(graph, node, placed, node.name in sharing)
        elif isinstance(node, OrPool):
            yield _or_pool_node(graph, node, placed)
        elif isinstance(node, Head):
            yield from _head_node(graph, node, placed)


def known_answer(image: NDArray[np.uint8], scores: NDArray[np.int32]) -> Iterator[Values]:
    """Yield the self-test's image (given as [C, H, W] or [T, C, H, W]) and the scores that it must give."""
    yield Values("known_image", pixels_last(image))
    yield Values("known_scores", scores)


def _neuron_constants(node: Lif) -> Iterator[Values]:
    weights = pixel_weights(node) if isinstance(node.edges[0], PixelConv) else packed_weights(node)
    if weights is not None:
        yield Values(f"{node.name}_weights", weights)
    yield Values(f"{node.name}_bias", padded(given(node.bias), 0))
    # The potential of a channel that pads a block stays 0, so this threshold is never reached.
    yield Values(f"{node.name}_threshold", padded(given(node.threshold), INT16_MAX))


def _neurons(graph: Graph, node: Lif, placed: Buffers) -> Fields:
    return {
        "bias": f"&{node.name}_bias",
        "threshold": f"&{node.name}_threshold",
        "output": placed[f"{node.name}_spikes"].offset_bytes,
        "height": node.shape.height,
        "width": node.shape.width,
        "blocks": blocks(node.shape.channels),
        "time_steps": graph.time_steps,
        "leak": f"SNN_LEAK_{node.leak.form.upper()}",
        "leak_shift": node.leak.shift,
        "reset_to_zero": int(node.reset == "zero"),
    }


def _scratch(node: Lif, placed: Buffers) -> int:
    """Where a kernel works; of a stream, which works where the arena begins, where it keeps the potentials."""
    kept = placed.get(f"{node.name}_potentials")
    return (kept or placed[f"{node.name}_scratch"]).offset_bytes


def _pixel_node(graph: Graph, node: Lif, edge: PixelConv, placed: Buffers) -> Iterator[Symbol]:
    source = graph.input.shape
    yield Values(f"{node.name}_rounding", padded(given(edge.rounding), 0))
    fields = {
        "neurons": _neurons(graph, node, placed),
        "weights": f"&{node.name}_weights",
        "rounding": f"&{node.name}_rounding",
        "scratch": _scratch(node, placed),
        "source_height": source.height,
        "source_width": source.width,
        "source_channels": source.channels,
        "kernel": edge.kernel,
        "stride": edge.stride,
    }
    yield Structs(f"{node.name}_node", "snn_pixel_node", (fields,))


def _spike_node(graph: Graph, node: Lif, placed: Buffers, share: bool) -> Iterator[Symbol]:
    rows = weight_rows(graph, node)
    if node.bits != 8:
        yield Values(f"{node.name}_shift", padded(given(node.code_shift), 0))
    uses_exponent = any(isinstance(edge, (Skip, Pool)) for edge in node.edges)
    if uses_exponent:
        yield Values(f"{node.name}_exponent", padded(given(node.exponent), MIN_EXPONENT))
    edges = tuple(_edge(graph, edge, placed) for edge in node.edges)
    yield Structs(f"{node.name}_edges", "snn_edge", edges, several=True)
    fields: Fields = {
        "neurons": _neurons(graph, node, placed),
        "edges": f"&{node.name}_edges",
        "weights": f"&{node.name}_weights" if rows else 0,
        "exponent": f"&{node.name}_exponent" if uses_exponent else 0,
        "scratch": _scratch(node, placed),
        "rows": rows,
        "list": kernels.list_bytes(graph, node),
        "edge_count": len(edges),
        "share": int(share),
    }
    if node.bits == 8:
        yield Structs(f"{node.name}_node", "snn_spike_node", (fields,))
    else:
        packed: Fields = {"spike": fields, "shift": f"&{node.name}_shift"}
        yield Structs(f"{node.name}_node", "snn_packed_node", (packed,))


def _edge(graph: Graph, edge: Edge, placed: Buffers) -> Fields:
    source = graph.source_shape(edge.source)
    fields: dict[str, object] = {
        "source": placed[f"{edge.source}_spikes"].offset_bytes,
        "height": source.height,
        "width": source.width,
        "blocks": blocks(source.channels),
        "channels": source.channels,
    }
    if isinstance(edge, SpikeConv):
        return fields | {"kind": "SNN_EDGE_CONVOLUTION", "kernel": edge.kernel, "stride": edge.stride}
    return fields | {
        "kind": "SNN_EDGE_SKIP" if isinstance(edge, Skip) else "SNN_EDGE_POOL",
        "kernel": 1,
        "stride": 1,
    }


def _or_pool_node(graph: Graph, node: OrPool, placed: Buffers) -> Structs:
    fields = {
        "source": placed[f"{node.source}_spikes"].offset_bytes,
        "output": placed[f"{node.name}_spikes"].offset_bytes,
        "height": node.shape.height,
        "width": node.shape.width,
        "source_width": graph.source_shape(node.source).width,
        "blocks": blocks(node.shape.channels),
        "time_steps": graph.time_steps,
    }
    return Structs(f"{node.name}_node", "snn_or_pool_node", (fields,))


def _head_node(graph: Graph, head: Head, placed: Buffers) -> Iterator[Symbol]:
    source = graph.source_shape(head.source)
    yield Values(f"{head.name}_weights", packed_head(graph, head))
    yield Values(f"{head.name}_bias", given(head.bias))
    fields: Fields = {
        "weights": f"&{head.name}_weights",
        "bias": f"&{head.name}_bias",
        "source": placed[f"{head.source}_spikes"].offset_bytes,
        "counts": placed[f"{head.name}_counts"].offset_bytes,
        "features": graph.head_features(),
        "height": source.height,
        "width": source.width,
        "channels": source.channels,
        "step": 0 if head.features == "count" else source.channels,
        "classes": head.classes,
        "time_steps": graph.time_steps,
        "bits": head.bits,
        "info": "&&info",
    }
    if head.bits == 8:
        yield Structs(f"{head.name}_node", "snn_head_node", (fields,))
    else:
        yield Values(f"{head.name}_shift", given(head.code_shift))
        packed: Fields = {"head": fields, "shift": f"&{head.name}_shift"}
        yield Structs(f"{head.name}_node", "snn_packed_head_node", (packed,))
