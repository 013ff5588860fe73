"""Streams of frames, and what a network makes of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Input, Lif, OrPool

Frames = NDArray[np.uint8]


def stream(graph: Graph, count: int, seed: int = 0) -> Frames:
    """Frames uint8 [count, C, H, W] that differ from one another."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *graph.input.shape)).astype(np.uint8)


def scores_by_step(graph: Graph, frames: Frames) -> list[list[int]]:
    """Scores after each of ``frames``, with the reference's operations, which know nothing of a last time step."""
    potentials = {node.name: np.zeros((1, *node.shape), np.int64) for node in graph.all(Lif)}
    maps: dict[str, NDArray[np.int64]] = {}
    spikes: list[NDArray[np.uint8]] = []
    found = []
    for frame in frames:
        for node in graph.nodes:
            if isinstance(node, Input):
                maps[node.name] = frame[np.newaxis].astype(np.int64)
            elif isinstance(node, Lif):
                current = reference.node_current(node, maps)
                maps[node.name], potentials[node.name] = reference.fire(node, potentials[node.name], current)
            elif isinstance(node, OrPool):
                maps[node.name] = reference.or_pool(maps[node.source])
        spikes.append(maps[graph.head.source].astype(np.uint8))
        found.append(reference.head_scores(graph, np.stack(spikes))[0].tolist())
    return found
