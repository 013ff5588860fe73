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

PAIRED = np.arange(BLOCK).reshape(2, BLOCK // 2).T.reshape(-1)
"""Channels of a block as the kernels keep them, packed pair by packed pair: 0, 8, 1, 9 and so on."""

IN_ROW = PAIRED.reshape(-1, 2, 2).transpose(0, 2, 1).reshape(-1)
"""Channels of a block as the bytes of a weight row have them: 0, 1, 8, 9, 2, 3 and so on.

A kernel takes bytes 0 and 2 of a word as one pair, and 1 and 3 as the next.
"""


def pixel_weights(node: Lif) -> NDArray[np.int8]:
    """Weights of ``node``, which reads pixels, as int8 [blocks, taps / 2, 8, 4], taps filled up to an even number.

    A tap is a (kernel row, kernel column, input channel). The four bytes are those of two channels, k and k + 8, for
    the first tap, and then for the second.
    """
    rows = _weight_rows(node, PAIRED)
    assert rows is not None
    even = np.pad(rows, [(0, 0), (0, rows.shape[1] % 2), (0, 0)])
    words = even.reshape(len(even), -1, 2, BLOCK // 2, 2).transpose(0, 1, 3, 2, 4)
    return np.ascontiguousarray(words.reshape(*words.shape[:3], WORD_BYTES))


def packed_weights(node: Lif) -> NDArray[np.int8] | NDArray[np.uint8] | None:
    """Weights of all convolutions of spikes of ``node`` as int8 [blocks, rows, 16], or None if it has none.

    A row belongs to one (edge, kernel row, kernel column, input channel) and has the channels ``IN_ROW``; those that
    pad the last block have zeros. Weights of 4 and 2 bits are uint8 [blocks, rows, 8 or 4]: byte j of a row's first
    word has the codes of the row's bytes j, j + 4 and so on, as many as it holds, from its low bits up; a second word
    goes on with the bytes behind.
    """
    rows = _weight_rows(node, IN_ROW)
    if rows is None or node.bits == 8:
        return rows
    shift = padded(given(node.code_shift), 0, IN_ROW).reshape(-1, 1, BLOCK)
    words = (rows >> shift).reshape(*rows.shape[:2], -1, 8 // node.bits, WORD_BYTES)
    return packed(np.moveaxis(words, 3, 0), node.bits).reshape(*rows.shape[:2], -1)


def _weight_rows(node: Lif, order: NDArray[np.int64]) -> NDArray[np.int8] | None:
    parts = [
        given(edge.weight).transpose(0, 2, 3, 1).reshape(node.shape.channels, -1)
        for edge in node.edges
        if isinstance(edge, (PixelConv, SpikeConv))
    ]
    if not parts:
        return None
    rows = padded(np.concatenate(parts, axis=1), 0, order)
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


def padded(array: Array, value: int, order: NDArray[np.int64] = PAIRED) -> Array:
    """``array`` with its first axis, channels, extended to whole blocks with ``value``, each block in ``order``."""
    widths = [(0, -len(array) % BLOCK)] + [(0, 0)] * (array.ndim - 1)
    whole = np.pad(array, widths, constant_values=value)
    return whole.reshape(-1, BLOCK, *array.shape[1:])[:, order].reshape(whole.shape)


def given(array: Array | None) -> Array:
    """``array``, of which the caller has made sure that the network has it."""
    assert array is not None
    return array
