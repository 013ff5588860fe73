"""Constants of a node as the float graphs (ONNX, TFLite) need them: integers or powers of two as float32.

All arithmetic on them is exact: integers stay below 2**24 by the rules of ``toolchain.graph.rules``, and
multiplying by a power of two only moves the exponent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Array, Edge, Lif, PixelConv, Pool, SpikeConv, as_int

Floats = NDArray[np.float32]


def bias(node: Lif) -> Floats:
    """b, float32 [channels]."""
    return _integers(node.bias, f"{node.name}.bias")


def threshold(node: Lif) -> Floats:
    """theta, float32 [channels]."""
    return _integers(node.threshold, f"{node.name}.threshold")


def one(node: Lif) -> Floats:
    """2**e, what a skip edge adds for a spike, float32 [channels]."""
    return _powers(as_int(node.exponent, f"{node.name}.exponent"))


def pool_step(node: Lif) -> Floats:
    """2**(e - 3), what a pool edge adds for each spike in its window, float32 [channels]."""
    return _powers(as_int(node.exponent, f"{node.name}.exponent") - 3)


def rounding_half(edge: PixelConv) -> Floats:
    """2**(r - 1), or 0 where r = 0: added before the floor so that it rounds, float32 [channels]."""
    rounding = as_int(edge.rounding, "rounding")
    return np.where(rounding > 0, _powers(rounding - 1), 0).astype(np.float32)


def rounding_scale(edge: PixelConv) -> Floats:
    """2**-r, float32 [channels]."""
    return _powers(-as_int(edge.rounding, "rounding"))


def bias_edge(node: Lif) -> Edge | None:
    """The edge whose convolution can add the node's bias at no cost; None if no edge can.

    A pixel convolution cannot: its bias is rounded with the sum.
    """
    return next((edge for edge in node.edges if isinstance(edge, (SpikeConv, Pool))), None)


def _integers(array: Array | None, what: str) -> Floats:
    return as_int(array, what).astype(np.float32)


def _powers(exponents: NDArray[np.int64]) -> Floats:
    return np.ldexp(np.float32(1), exponents.astype(np.int32)).astype(np.float32)
