"""Which kernel runs each layer of exported sources, on what spikes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exporters.c.export import RUNTIME, kernel_of
from toolchain.cost.event_lists import LayerEvents
from toolchain.cost.kernel_choice import Choice, choices
from toolchain.cost.kernels import scratch_bytes
from toolchain.cost.layout import Layout, layout
from toolchain.cost.packing import constants
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, Node, PixelConv
from toolchain.profiles.schema import Core, Profile

SUFFIXES: dict[Core, str] = {
    "cortex-m0plus": "_m0",
    "cortex-m3": "_m3",
    "cortex-m4": "_dsp",
    "cortex-m7": "_dsp",
    "cortex-m33": "_dsp",
    "cortex-m55": "_dsp",
}
"""How the files of ``runtime`` that are written for a core end; ``snn_pairs.h`` tells cores apart."""

PLAIN: set[tuple[Core, str]] = {("cortex-m3", "snn_spike_4"), ("cortex-m3", "snn_spike_2")}
"""Kernels whose hot loop is in plain C where others of the same core have theirs in its own files."""

_FILES = {
    "snn_pixel": ("snn_pixel.c", "snn_dense"),
    "snn_frames": ("snn_pixel.c", "snn_dense"),
    "snn_pass": ("snn_spike.c", "snn_neurons"),
    "snn_or_pool": ("snn_or_pool.c", None),
    "snn_head": ("snn_head.c", None),
    "snn_packed_head": ("snn_head.c", None),
}
"""The file of each kernel, and the stem of the one that holds its hot loop, which is written for the core."""

_REASONS = {
    "snn_pixel": "reads pixels, of which hardly any is 0, so every one is multiplied, once for all time steps",
    "snn_frames": "reads frames of pixels, each of which is multiplied in its own time step",
    "snn_pass": "has no weights: spikes of skip and pool edges are added as they are",
    "snn_or_pool": "needs no weights: 16 neurons at once",
    "snn_head": "counts spikes, and multiplies each count once",
    "snn_packed_head": "counts spikes, and multiplies each count once by codes of fewer than 8 bits",
}


@dataclass(frozen=True)
class LayerKernel:
    """A layer: the ``function`` that runs it and the ``files`` it is in, its weights' ``bits`` and where they are read.

    ``share``: whether rows of weights are added once for two time steps; None where no rows are added.
    ``spike_rate`` and ``both_rate`` are those of the neurons that it reads (measured); the instructions, those of
    listing events and adding rows, an image (estimate); None without a sample of images.
    """

    layer: str
    function: str
    files: tuple[str, ...]
    bits: int | None
    share: bool | None
    spike_rate: float | None
    both_rate: float | None
    shared_instructions: int | None
    apart_instructions: int | None
    weights_region: str | None
    scratch_bytes: int
    reason: str


def explained(
    graph: Graph, profile: Profile, events: Mapping[str, LayerEvents] | None
) -> tuple[LayerKernel, ...]:
    """Every layer of ``graph`` on the board of ``profile``, in order, as it is exported with ``events``."""
    plan, chosen = layout(graph, profile), choices(graph, profile.core, events)
    weighted = {constant.symbol for constant in constants(graph) if constant.kind == "weights"}
    return tuple(
        _layer(graph, node, profile, plan, chosen.get(node.name), (events or {}).get(node.name), weighted)
        for node in graph.nodes
        if not isinstance(node, Input)
    )


def _layer(
    graph: Graph,
    node: Node,
    profile: Profile,
    plan: Layout,
    choice: Choice | None,
    events: LayerEvents | None,
    weighted: set[str],
) -> LayerKernel:
    function, symbol = kernel_of(graph, node), f"{node.name}_weights"
    has_weights = symbol in weighted
    return LayerKernel(
        node.name,
        function,
        _files(function, profile.core),
        _bits(node) if has_weights else None,
        choice.share if choice else None,
        events.spike_rate if events else None,
        events.both_rate if events else None,
        choice.shared_instructions if choice else None,
        choice.apart_instructions if choice else None,
        _region(plan, symbol) if has_weights else None,
        scratch_bytes(graph, node) if isinstance(node, Lif) else 0,
        choice.reason if choice else _REASONS[function],
    )


def _bits(node: Node) -> int:
    return node.bits if isinstance(node, (Lif, Head)) and not _is_pixel_layer(node) else 8


def _is_pixel_layer(node: Node) -> bool:
    return isinstance(node, Lif) and isinstance(node.edges[0], PixelConv)


def _files(function: str, core: Core | None) -> tuple[str, ...]:
    file, hot = _FILES.get(function, ("snn_spike.c", "snn_rows"))
    if hot is None:
        return (file,)
    suffix = SUFFIXES[core] if core in SUFFIXES and (core, function) not in PLAIN else ""
    own = f"{hot}{suffix}.c"
    return file, own if own in RUNTIME else f"{hot}.c"


def _region(plan: Layout, symbol: str) -> str | None:
    """The region that the weights ``symbol`` are read from: their copy's, or that of the constants."""
    if plan.copies is not None and symbol in plan.copies.symbols:
        return plan.copies.region
    return next((item.region for item in plan.items if item.name == "constants"), None)
