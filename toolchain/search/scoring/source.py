"""The maps that a position reads, from an untrained network that ends before it."""

from __future__ import annotations

import torch
from torch import Tensor

from toolchain.graph.graph import Graph
from toolchain.graph.preprocessing import Pixels
from toolchain.network.spiking import SpikingNetwork


def source_spikes(graph: Graph, pixels: Pixels, seed: int) -> Tensor:
    """Spikes uint8 [T, N, C, H, W] that the head of ``graph`` reads, for ``pixels`` uint8 [N, C, H, W].

    ``graph`` has no weights and ends before the position (``Architecture.before_cell``); weights are drawn from
    ``seed``, normalized with the statistics of these pixels.
    """
    network = SpikingNetwork(graph, seed=seed).train()
    with torch.no_grad():
        return network.spikes(torch.from_numpy(pixels))[graph.head.source].to(torch.uint8)
