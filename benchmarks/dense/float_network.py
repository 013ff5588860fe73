"""The dense network in float: the convolutions of a Graph with ReLU in place of spiking neurons, and no time.

``quantized`` makes integers of it after training: batch normalization folded, a scale for each output channel of the
weights, and activations as large as calibration images make them (Jacob et al., arXiv 1712.05877, without retraining).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.dense.network import Addend, Convolution, DenseNetwork, Layer, Linear, MaxPool
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, OrPool, PixelConv, Pool, Skip, SpikeConv
from toolchain.network.spiking import PIXEL_SCALE, ConvNorm

LARGEST_WEIGHT, LARGEST_ACTIVATION = 127, 255

CLIPPED = 1e-4
"""Share of a layer's positive activations that may be above the largest that is told apart."""

PLAIN_UNITS = 1024
"""Units of an accumulator for one of its sources, where a layer has no weights that decide it."""


class DenseCnn(nn.Module):
    """The float network of the same shape as ``graph``; weights are drawn from ``seed``."""

    def __init__(self, graph: Graph, *, seed: int = 0) -> None:
        super().__init__()
        self.graph = graph
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convolutions = nn.ModuleDict()
            self.biases = nn.ParameterDict()
            for node in graph.all(Lif):
                for index, edge in enumerate(node.edges):
                    if isinstance(edge, (PixelConv, SpikeConv)):
                        into = graph.source_shape(edge.source).channels
                        pair = ConvNorm(into, node.shape.channels, edge.kernel, edge.stride)
                        self.convolutions[f"{node.name}_{index}"] = pair
                if not any(isinstance(edge, (PixelConv, SpikeConv)) for edge in node.edges):
                    self.biases[node.name] = nn.Parameter(torch.zeros(node.shape.channels))
            self.linear = nn.Linear(graph.head_features(), graph.head.classes)

    def maps(self, pixels: Tensor) -> dict[str, Tensor]:
        """Every map [N, C, H, W] of ``pixels`` uint8 [N, C, H, W]."""
        found: dict[str, Tensor] = {}
        for node in self.graph.nodes:
            if isinstance(node, Input):
                found[node.name] = (pixels.float() / PIXEL_SCALE).contiguous(
                    memory_format=torch.channels_last
                )
            elif isinstance(node, OrPool):
                found[node.name] = functional.max_pool2d(found[node.source], 2)
            elif isinstance(node, Lif):
                found[node.name] = functional.relu(self._sum(node, found))
        return found

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes] of ``pixels`` uint8 [N, C, H, W]."""
        last = self.maps(pixels)[self.graph.head.source]
        # The mean, so that its learning rate does not depend on the map's size.
        features = last.mean((2, 3)) if self.graph.head.features == "count" else last.flatten(1)
        logits: Tensor = self.linear(features)
        return logits

    def _sum(self, node: Lif, maps: dict[str, Tensor]) -> Tensor:
        total: Tensor | float = 0.0
        if node.name in self.biases:
            total = self.biases[node.name].reshape(-1, 1, 1)
        for index, edge in enumerate(node.edges):
            source = maps[edge.source]
            if isinstance(edge, Skip):
                part = source
            elif isinstance(edge, Pool):
                part = functional.avg_pool2d(source, 3, 1, 1, divisor_override=8)
            else:
                part = self.convolutions[f"{node.name}_{index}"](source)
            total = total + part
        assert isinstance(total, Tensor)
        return total


@torch.no_grad()
def quantized(network: DenseCnn, images: NDArray[np.uint8]) -> DenseNetwork:
    """Integers of ``network``, its activations calibrated with ``images`` uint8 [n, C, H, W]."""
    graph = network.graph
    network.eval()
    maps = network.maps(torch.from_numpy(images))
    scales = {graph.input.name: 1 / PIXEL_SCALE}
    layers: list[Layer | MaxPool] = []
    for node in graph.nodes:
        if isinstance(node, OrPool):
            scales[node.name] = scales[node.source]
            layers.append(MaxPool(node.name, node.shape, node.source))
        elif isinstance(node, Lif):
            scales[node.name] = _largest(maps[node.name]) / LARGEST_ACTIVATION
            layers.append(_layer(network, node, scales))
    return DenseNetwork(
        graph.input.name, graph.input.shape, tuple(layers), _head(network, graph.head, scales)
    )


def _largest(activations: Tensor) -> float:
    positive = activations[activations > 0].numpy()
    return float(np.quantile(positive, 1 - CLIPPED)) if len(positive) else 1.0


def _layer(network: DenseCnn, node: Lif, scales: dict[str, float]) -> Layer:
    folded = {
        index: network.convolutions[f"{node.name}_{index}"].folded()
        for index, edge in enumerate(node.edges)
        if isinstance(edge, (PixelConv, SpikeConv))
    }
    # Weights in units of their source's activations, so that all convolutions of a node share one accumulator.
    weights = {
        index: weight.double().numpy() * scales[node.edges[index].source]
        for index, (weight, _) in folded.items()
    }
    bias = sum((extra.double().numpy() for _, extra in folded.values()), np.zeros(node.shape.channels))
    if node.name in network.biases:
        bias = bias + network.biases[node.name].double().numpy()
    if weights:
        flat = np.concatenate([weight.reshape(len(weight), -1) for weight in weights.values()], axis=1)
        unit = np.maximum(np.abs(flat).max(axis=1), 1e-9) / LARGEST_WEIGHT
    else:
        unit = np.full(node.shape.channels, min(scales[edge.source] for edge in node.edges) / PLAIN_UNITS)
    convolutions, addends = [], []
    for index, edge in enumerate(node.edges):
        if isinstance(edge, (PixelConv, SpikeConv)):
            integers = np.rint(weights[index] / unit.reshape(-1, 1, 1, 1)).astype(np.int8)
            convolutions.append(Convolution(edge.source, edge.stride, integers))
        else:
            window, divisor = (3, 8) if isinstance(edge, Pool) else (1, 1)
            factor = np.rint(scales[edge.source] / divisor / unit).astype(np.int32)
            addends.append(Addend(edge.source, window, factor))
    ratio = unit / scales[node.name]
    assert ratio.max() < 0.5, "a multiplier has 31 bits"
    return Layer(
        node.name,
        node.shape,
        tuple(convolutions),
        tuple(addends),
        np.rint(bias / unit).astype(np.int32),
        np.rint(ratio * 2.0**32).astype(np.int32),
        scales[node.name],
    )


def _head(network: DenseCnn, head: Head, scales: dict[str, float]) -> Linear:
    weight = network.linear.weight.double().numpy() * scales[head.source]
    if head.features == "count":
        shape = network.graph.source_shape(head.source)
        weight = weight / (shape.height * shape.width)
    unit = np.abs(weight).max() / LARGEST_WEIGHT
    bias = network.linear.bias.double().numpy()
    return Linear(
        head.name,
        head.source,
        head.features,
        np.rint(weight / unit).astype(np.int8),
        np.rint(bias / unit).astype(np.int32),
    )
