"""Graphs of the search space, without weights, with untrained ones or with any, for tests of what reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Lif, Node, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

LINES = (
    "t4 leak2 reset-subtract stem16/2 003000 stride32 301203 head-count",
    "t2 leak1 reset-zero stem8/1 441423 head-flatten",
    "t8 decay1 reset-subtract stem20/2 111111 pool40 333333 head-count",
)


def untrained(line: str, side: int = 16, classes: int = 10) -> Graph:
    """The Graph of an architecture's line for grey images of ``side``, without weights."""
    labels = tuple(map(str, range(classes)))
    return build(parse(line), Shape(1, side, side), Preprocessing(side, side, "grey"), labels)


def quantized(line: str, side: int = 16) -> Graph:
    """The same with the integer weights of a network that has never been trained."""
    from toolchain.network.quantized import QuantizedNetwork
    from toolchain.network.spiking import SpikingNetwork

    return QuantizedNetwork(SpikingNetwork(untrained(line, side), seed=0).eval()).graph()


def filled(graph: Graph, seed: int = 0, longest: bool = False) -> Graph:
    """``graph`` with integers in the place of its weights: made at once, however large it is.

    No bound can be broken, since weights are zero but for a few. ``longest``: numbers take as many digits as
    any, and may break bounds.
    """
    rng = np.random.default_rng(seed)
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            channels = node.shape.channels
            exponent = np.full(channels, 12) if longest else rng.integers(3, 11, channels)
            threshold = np.full(channels, 32767) if longest else 2**exponent
            shift = _shifts(rng, node.bits, channels)
            node = replace(
                node,
                edges=tuple(_filled(graph, node, edge, shift) for edge in node.edges),
                bias=np.zeros(channels, np.int16),
                threshold=threshold.astype(np.int16),
                exponent=exponent.astype(np.uint8),
                code_shift=shift,
            )
        elif isinstance(node, Head):
            weight = np.zeros((node.classes, graph.head_features()), np.int8)
            shift = _shifts(rng, node.bits, node.classes)
            weight[:, 0] = rng.integers(-128, 128, node.classes) if shift is None else 1 << shift
            bias = rng.integers(-9999, 9999, node.classes).astype(np.int32)
            node = replace(node, weight=weight, bias=bias, exponent=-24 if longest else 5, code_shift=shift)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _shifts(rng: np.random.Generator, bits: int, outputs: int) -> NDArray[np.uint8] | None:
    return None if bits == 8 else rng.integers(0, 7, outputs).astype(np.uint8)


def _filled(graph: Graph, node: Lif, edge: Edge, shift: NDArray[np.uint8] | None) -> Edge:
    if not isinstance(edge, PixelConv | SpikeConv):
        return edge
    channels = node.shape.channels
    weight = np.zeros((channels, graph.source_shape(edge.source).channels, edge.kernel, edge.kernel), np.int8)
    weight[:, 0] = 1 if shift is None else (1 << shift).reshape(-1, 1, 1)
    if isinstance(edge, PixelConv):
        return replace(edge, weight=weight, rounding=np.full(channels, 2, np.uint8))
    return replace(edge, weight=weight)
