"""A network for images of bars in three classes, small enough to be trained in a second."""

from __future__ import annotations

from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing


def network(side: int = 8) -> Graph:
    shape = Shape(8, side, side)
    nodes = (
        Input("pixels", Shape(1, side, side)),
        Lif("stem", shape, (PixelConv("pixels", 3, 1),)),
        Lif("node", Shape(8, side // 2, side // 2), (SpikeConv("stem", 3, 2),)),
        Head("head", "node", 3),
    )
    return Graph(nodes, 3, Preprocessing(side, side, "grey"), ("a", "b", "c"))
