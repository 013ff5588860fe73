"""A Graph's arrays in the order in which the firmware reads them (``toolchain.cost.packing`` counts their bytes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.packing import BLOCK, blocks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Array, Head, Lif, PixelConv, SpikeConv


def pixels_last(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels [C, H, W] or [T, C, H, W] as [..., H, W, C]: how a camera gives them and the firmware takes them."""
    return np.ascontiguousarray(np.moveaxis(image, -3, -1))


def packed_weights(node: Lif) -> NDArray[np.int8] | None:
    """Weights of all convolutions of ``node`` as int8 [blocks, rows, 16], or None if it has none.

    A row belongs to one (edge, kernel row, kernel column, input channel); channels that pad the last block have zeros.
    """
    parts = [
        given(edge.weight).transpose(0, 2, 3, 1).reshape(node.shape.channels, -1)
        for edge in node.edges
        if isinstance(edge, (PixelConv, SpikeConv))
    ]
    if not parts:
        return None
    rows = padded(np.concatenate(parts, axis=1), 0)
    by_block = rows.reshape(blocks(node.shape.channels), BLOCK, -1)
    return np.ascontiguousarray(by_block.transpose(0, 2, 1))


def packed_head(graph: Graph, head: Head) -> NDArray[np.int8]:
    """Weights of the head as int8 [classes, features]; flattened features in the order row, column, channel."""
    weight = given(head.weight)
    if head.features == "count":
        return weight
    by_position = weight.reshape(head.classes, *graph.source_shape(head.source)).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(by_position.reshape(head.classes, -1))


def padded(array: Array, value: int) -> Array:
    """``array`` with its first axis, channels, extended to whole blocks with ``value``."""
    widths = [(0, -len(array) % BLOCK)] + [(0, 0)] * (array.ndim - 1)
    return np.pad(array, widths, constant_values=value)


def given(array: Array | None) -> Array:
    """``array``, of which the caller has made sure that the network has it."""
    assert array is not None
    return array
