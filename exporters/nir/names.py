"""Names of the NIR nodes that stand for a node of the Graph; a dot is in no name of the Graph."""

from __future__ import annotations

from toolchain.graph.nodes import Edge, PixelConv, Pool, Skip, SpikeConv

OUTPUT = ".output"
"""Behind a head's name: NIR's node for what the network gives."""

_KINDS: dict[type[Edge], str] = {PixelConv: "conv", SpikeConv: "conv", Skip: "skip", Pool: "pool"}


def edge_name(node: str, index: int, edge: Edge) -> str:
    """The convolution that stands for an edge of a ``Lif``."""
    return f"{node}.{_KINDS[type(edge)]}{index}"


def sum_name(node: str) -> str:
    """The sum over windows before OR pooling, or over the map before a head that counts."""
    return f"{node}.sum"


def flatten_name(node: str) -> str:
    """The flattening before a head."""
    return f"{node}.flatten"
