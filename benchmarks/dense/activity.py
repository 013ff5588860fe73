"""What a spiking network does on given images, layer by layer: spikes that are read, and weights that they add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.graph import reference
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Input, Lif, OrPool, SpikeConv


@dataclass(frozen=True)
class LayerActivity:
    """``density``: spikes a neuron and time step of what is read, None for pixels; ``firing``: of the layer itself.

    ``synaptic_operations``: weights that spikes add, an image; zero padding has none.
    """

    density: float | None
    firing: float | None
    synaptic_operations: float


def activity(graph: Graph, images: NDArray[np.uint8]) -> dict[str, LayerActivity]:
    """Averages over ``images`` uint8 [n, C, H, W], by the name of the node."""
    spikes: dict[str, NDArray[np.uint8]] = {}
    for trace in reference.traces(graph, images):
        for name, found in trace.spikes.items():
            spikes[name] = np.concatenate([spikes[name], found], axis=1) if name in spikes else found
    result = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            continue
        read = [spikes[name] for name in sources(node) if name in spikes]
        density = float(np.mean([found.mean() for found in read])) if read else None
        firing = float(spikes[node.name].mean()) if isinstance(node, (Lif, OrPool)) else None
        operations = 0.0
        if isinstance(node, Lif):
            for edge in node.edges:
                if isinstance(edge, SpikeConv):
                    operations += _added(spikes[edge.source], edge) * node.shape.channels
        result[node.name] = LayerActivity(density, firing, operations / len(images))
    return result


def _added(spikes: NDArray[np.uint8], edge: SpikeConv) -> float:
    """Spikes that ``edge`` sees in its windows, over all positions, time steps and images."""
    folded = spikes.sum(2, dtype=np.int64).reshape(-1, 1, *spikes.shape[3:])
    return float(
        reference.convolve(folded, np.ones((1, 1, edge.kernel, edge.kernel), np.int64), edge.stride).sum()
    )
