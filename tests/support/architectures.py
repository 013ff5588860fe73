"""Graphs of the search space, without weights or with untrained ones, for tests of what reads them."""

from __future__ import annotations

from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape
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
