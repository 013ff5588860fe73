"""The price of spikes: a penalty that trades accuracy for synaptic operations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from toolchain.datasets import Subset
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, SpikeConv
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork

WEIGHT = 0.5
"""Loss for firing twice as much as aimed at."""

RATE_IMAGES = 200
"""Images that a spike rate is measured on."""


class SpikeRate:
    """Share of a network's dense synaptic operations that spikes cause, and the penalty for too many.

    A spike costs the connections that leave its neuron, so rate = sum(connections * spikes) / sum(connections *
    neurons * time steps), over the edges that convolve spikes. Penalty: WEIGHT * max(0, rate / aim - 1).
    """

    def __init__(self, graph: Graph, aim: float) -> None:
        self.aim = aim
        weights: dict[str, float] = {}
        for node in graph.all(Lif):
            for edge in node.edges:
                if isinstance(edge, SpikeConv):
                    dense = edge.kernel**2 * graph.source_shape(edge.source).channels * node.shape.size
                    weights[edge.source] = weights.get(edge.source, 0.0) + dense
        total = sum(weights.values())
        self.shares = {name: weight / total for name, weight in weights.items()}

    def rate(self, spikes: Mapping[str, Tensor]) -> Tensor:
        """Effective operations as a share of the dense ones, of ``spikes`` [T, N, C, H, W] by node."""
        parts = [share * spikes[name].mean(dtype=torch.float32) for name, share in self.shares.items()]
        return torch.stack(parts).sum() if parts else torch.zeros(())

    def penalty(self, spikes: Mapping[str, Tensor]) -> Tensor:
        """What is added to the loss."""
        return WEIGHT * torch.relu(self.rate(spikes) / self.aim - 1)


def spike_rate(network: SpikingNetwork | QuantizedNetwork, data: Subset) -> float:
    """Share of the dense synaptic operations that spikes cause on a sample of ``data``."""
    graph = network.architecture if isinstance(network, QuantizedNetwork) else network.graph
    images = torch.from_numpy(data.images[:RATE_IMAGES]).to(next(network.parameters()).device)
    with torch.no_grad():
        spikes = network.spikes(images)
    return float(SpikeRate(graph, 1.0).rate(spikes))
