"""A Graph's arrays in the order in which the firmware reads them (``toolchain.cost.packing`` counts their bytes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exporters.codes import packed
from toolchain.cost.packing import BLOCK, blocks
from toolchain.graph.codes import codes
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Array, Head, Lif, PixelConv, SpikeConv


def pixels_last(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels [C, H, W] or [T, C, H, W] as [..., H, W, C]: how a camera gives them and the firmware takes them."""
    return np.ascontiguousarray(np.moveaxis(image, -3, -1))


WORD_BYTES = 4
"""What the kernels read at once."""


def packed_weights(node: Lif) -> NDArray[np.int8] | NDArray[np.uint8] | None:
    """Weights of all convolutions of ``node`` as int8 [blocks, rows, 16], or None if it has none.

    A row belongs to one (edge, kernel row, kernel column, input channel); channels that pad the last block have zeros.
    Weights of 4 and 2 bits are uint8 [blocks, rows, 8 or 4]: byte j of a row's first word has the codes of channels
    j, j + 4 and so on, as many as it holds, from its low bits up; a second word goes on with the channels behind.
    """
    rows = _weight_rows(node)
    if rows is None or node.bits == 8:
        return rows
    shift = padded(given(node.code_shift), 0).reshape(-1, 1, BLOCK)
    words = (rows >> shift).reshape(*rows.shape[:2], -1, 8 // node.bits, WORD_BYTES)
    return packed(np.moveaxis(words, 3, 0), node.bits).reshape(*rows.shape[:2], -1)


def _weight_rows(node: Lif) -> NDArray[np.int8] | None:
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


def packed_head(graph: Graph, head: Head) -> NDArray[np.int8] | NDArray[np.uint8]:
    """Weights of the head as int8 [classes, features]; flattened features in the order row, column, channel.

    Codes of 4 and 2 bits are uint8 [classes, bytes], from the low bits of each byte up.
    """
    weight = given(head.weight)
    if head.features == "flatten":
        by_position = weight.reshape(head.classes, *graph.source_shape(head.source)).transpose(0, 2, 3, 1)
        weight = np.ascontiguousarray(by_position.reshape(head.classes, -1))
    if head.bits == 8:
        return weight
    held = 8 // head.bits
    filled = np.pad(codes(weight, given(head.code_shift)), [(0, 0), (0, -weight.shape[1] % held)])
    return packed(np.moveaxis(filled.reshape(head.classes, -1, held), 2, 0), head.bits)


def padded(array: Array, value: int) -> Array:
    """``array`` with its first axis, channels, extended to whole blocks with ``value``."""
    widths = [(0, -len(array) % BLOCK)] + [(0, 0)] * (array.ndim - 1)
    return np.pad(array, widths, constant_values=value)


def given(array: Array | None) -> Array:
    """``array``, of which the caller has made sure that the network has it."""
    assert array is not None
    return array
