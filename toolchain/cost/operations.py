"""How much a network computes, in the terms of NeuroBench (Yik et al., Nature Communications 16, 2025).

Synaptic operations come in kinds: multiply-accumulates (MAC) where values are multiplied, here only the
pixel layer and the read-out, and accumulates (AC) where a spike adds a weight. *Dense* counts every
connection as if its input were never zero; *effective* counts only those whose input is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolchain.graph.graph import Graph, arrays
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv


@dataclass(frozen=True)
class Operations:
    """Operations of one image over all its time steps; zero padding counts like any other input.

    ``pixel_macs``: products of the pixel layer, computed once for each frame; ``head_macs``: products of the read-out;
    ``dense_acs``: additions of a weight if every neuron fired in every step; ``effective_acs``: those that
    the given spike rates cause, None without rates; ``membrane_updates``: neurons times time steps.
    """

    pixel_macs: int
    head_macs: int
    dense_acs: int
    effective_acs: int | None
    membrane_updates: int

    @property
    def dense(self) -> int:
        """All synaptic operations, dense."""
        return self.pixel_macs + self.head_macs + self.dense_acs


def operations(graph: Graph, spike_rates: Mapping[str, float] | None = None) -> Operations:
    """Count the operations of ``graph``; ``spike_rates`` gives each spiking node's spikes a neuron and step."""
    pixel_macs = dense_acs = updates = 0
    effective = 0.0
    for node in graph.all(Lif):
        updates += node.shape.size * graph.time_steps
        for edge in node.edges:
            if not isinstance(edge, (PixelConv, SpikeConv)):
                continue
            connections = edge.kernel**2 * graph.source_shape(edge.source).channels * node.shape.size
            if isinstance(edge, PixelConv):
                pixel_macs += connections * graph.input.frames
            else:
                dense_acs += connections * graph.time_steps
                if spike_rates is not None:
                    effective += connections * graph.time_steps * spike_rates[edge.source]
    head_macs = graph.head.classes * graph.head_features()
    return Operations(
        pixel_macs, head_macs, dense_acs, None if spike_rates is None else round(effective), updates
    )


def parameter_count(graph: Graph) -> int:
    """Trained values: weights, and one bias, threshold and exponent a channel; weights must be set."""
    return sum(0 if array is None else int(array.size) for _, array in arrays(graph))
