"""How much a network computes, in the terms of NeuroBench (Yik et al., Nature Communications 16, 2025).

Synaptic operations come in kinds: multiply-accumulates (MAC) where values are multiplied, here only the
pixel layer and the read-out, and accumulates (AC) where a spike adds a weight. *Dense* counts every
connection as if its input were never zero; *effective* counts only those whose input is not.
"""

from __future__ import annotations

from collections import Counter
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
    found = operations_by_node(graph, spike_rates)
    exact = (
        0.0 if spike_rates is None else sum(_effective(graph, node, spike_rates) for node in graph.all(Lif))
    )
    return Operations(
        sum(node.pixel_macs for node in found.values()),
        sum(node.head_macs for node in found.values()),
        sum(node.dense_acs for node in found.values()),
        None if spike_rates is None else round(exact),
        sum(node.membrane_updates for node in found.values()),
    )


def operations_by_node(graph: Graph, spike_rates: Mapping[str, float] | None = None) -> dict[str, Operations]:
    """What each node that computes takes of ``operations``, by name: neurons first, the head last."""
    found = {
        node.name: Operations(
            sum(_connections(graph, node, PixelConv)) * graph.input.frames,
            0,
            sum(_connections(graph, node, SpikeConv)) * graph.time_steps,
            None if spike_rates is None else round(_effective(graph, node, spike_rates)),
            node.shape.size * graph.time_steps,
        )
        for node in graph.all(Lif)
    }
    macs = graph.head.classes * graph.head_features()
    return found | {graph.head.name: Operations(0, macs, 0, None if spike_rates is None else 0, 0)}


def parameter_count(graph: Graph) -> int:
    """Trained values: weights, and one bias, threshold and exponent a channel; weights must be set."""
    return sum(parameters_by_node(graph).values())


def parameters_by_node(graph: Graph) -> dict[str, int]:
    """Trained values of each node that has any, by name."""
    found: Counter[str] = Counter()
    for name, array in arrays(graph):
        found[name.partition(".")[0]] += 0 if array is None else int(array.size)
    return dict(found)


def _connections(graph: Graph, node: Lif, kind: type[PixelConv] | type[SpikeConv]) -> list[int]:
    """Weights of ``node``'s edges of one ``kind``, each as often as it is used in a time step."""
    return [
        edge.kernel**2 * graph.source_shape(edge.source).channels * node.shape.size
        for edge in node.edges
        if isinstance(edge, kind)
    ]


def _effective(graph: Graph, node: Lif, spike_rates: Mapping[str, float]) -> float:
    sources = [edge.source for edge in node.edges if isinstance(edge, SpikeConv)]
    return sum(
        connections * graph.time_steps * spike_rates[source]
        for connections, source in zip(_connections(graph, node, SpikeConv), sources, strict=True)
    )
