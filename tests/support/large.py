"""A network of the size that boards run, for what small random graphs do not reach: other kernels, longer sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support.graphs import _lively, _made_to_fit, in_bits
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Edge,
    Head,
    Input,
    Leak,
    Lif,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
)
from toolchain.graph.preprocessing import Preprocessing


def large_graph(bits: int = 8) -> Graph:
    """28x28 grey pixels, 32 and 64 channels, every type of edge, both ways to shrink; 10-35 % of neurons fire.

    ``bits`` of a weight that reads spikes; what of it fewer than 8 do not hold is cut off.
    """
    rng = np.random.default_rng(0)

    def weights(out: int, into: int, kernel: int, spread: float) -> NDArray[np.int8]:
        return np.clip(rng.normal(0, spread, (out, into, kernel, kernel)), -127, 127).astype(np.int8)

    def lif(name: str, shape: Shape, *edges: Edge) -> Lif:
        size = shape.channels
        bias = rng.integers(-50, 50, size).astype(np.int16)
        threshold, exponent = np.full(size, 200, np.int16), np.full(size, 6, np.uint8)
        return _made_to_fit(
            Lif(name, shape, edges, Leak("subtract", 2), "subtract", bias, threshold, exponent), 4
        )

    wide, narrow = Shape(32, 28, 28), Shape(64, 14, 14)
    rounding = np.full(32, 5, np.uint8)
    nodes = (
        Input("pixels", Shape(1, 28, 28)),
        lif("stem", wide, PixelConv("pixels", 3, 1, weights(32, 1, 3, 30), rounding)),
        lif("first", wide, SpikeConv("stem", 3, 1, weights(32, 32, 3, 20)), Skip("stem")),
        lif("second", wide, SpikeConv("first", 1, 1, weights(32, 32, 1, 20)), Pool("stem")),
        OrPool("halved", Shape(32, 14, 14), "second"),
        lif("third", narrow, SpikeConv("halved", 3, 1, weights(64, 32, 3, 15))),
        lif("fourth", Shape(64, 7, 7), SpikeConv("third", 3, 2, weights(64, 64, 3, 15))),
        Head(
            "head",
            "fourth",
            10,
            "flatten",
            rng.integers(-128, 128, (10, 64 * 49)).astype(np.int8),
            rng.integers(-999, 999, 10).astype(np.int32),
            5,
        ),
    )
    stored = (
        in_bits(node, bits, rng) if isinstance(node, Lif | Head) and node.name != "stem" else node
        for node in nodes
    )
    graph = Graph(tuple(stored), 4, Preprocessing(28, 28, "grey"), tuple("0123456789"))
    # Cut off weights let fewer neurons fire, so thresholds follow.
    graph = graph if bits == 8 else _lively(graph, 0)
    require_valid(graph, "large graph", weights=True)
    return graph
