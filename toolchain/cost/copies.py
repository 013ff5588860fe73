"""Which layers' weights are copied from flash into a faster memory before the network first runs.

A region says how much of it copies may take (``weight_copies_bytes``); they get no more than what the image's other
parts leave there, so that none ever makes an image too large. Flash keeps the weights: a copy costs SRAM, not flash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.cost.packing import Constant, aligned
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, PixelConv
from toolchain.profiles.schema import Profile

DENSITY = 0.25
"""Share of neurons that is taken to fire in a time step, as in the estimate of latency."""


@dataclass(frozen=True)
class Copies:
    """The ``symbols`` (constants' names) that are copied into ``region``, in the order in which they lie there."""

    region: str
    symbols: tuple[str, ...]
    size_bytes: int


def copies(
    graph: Graph, profile: Profile, found: Sequence[Constant], left_bytes: dict[str, int]
) -> Copies | None:
    """Weights among ``found`` for the region of ``profile`` that takes copies, those that are read most first.

    ``left_bytes`` are those that each region has left. None if no region takes any, or no layer's weights fit.
    """
    region = next((region for region in profile.regions if region.weight_copies_bytes), None)
    if region is None:
        return None
    room = min(region.weight_copies_bytes, left_bytes[region.name])
    reads = {
        f"{node.name}_weights": _reads(graph, node) for node in graph.nodes if isinstance(node, (Lif, Head))
    }
    weights = [constant for constant in found if constant.kind == "weights"]
    chosen = []
    for constant in sorted(weights, key=lambda constant: -reads[constant.symbol]):
        size = aligned(constant.size_bytes)
        if size <= room:
            chosen.append(constant.symbol)
            room -= size
    if not chosen:
        return None
    size_bytes = sum(aligned(constant.size_bytes) for constant in weights if constant.symbol in chosen)
    return Copies(region.name, tuple(chosen), size_bytes)


def _reads(graph: Graph, node: Lif | Head) -> float:
    """How often each byte of a node's weights is read in an inference (estimate).

    A spike adds its row at every position that sees it, in every time step; pixels are multiplied once a frame; the
    head reads its weights once.
    """
    if isinstance(node, Head):
        return 1.0
    positions = node.shape.height * node.shape.width
    if isinstance(node.edges[0], PixelConv):
        return float(positions * graph.input.frames)
    return positions * graph.time_steps * DENSITY
