"""The constants that are written are those that the cost model counts, and lie as the kernels read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporters.c.arrays import packed_head, packed_weights, padded, pixel_weights, pixels_last
from exporters.c.constants import Structs, Values, constants, known_answer
from tests.support.graphs import random_graph, random_images
from toolchain.cost import packing
from toolchain.cost.arena import buffers
from toolchain.graph.codes import MAX_CODE
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, PixelConv, Shape, SpikeConv

STRUCT_BYTES = {
    "snn_pixel_node": packing.PIXEL_NODE_BYTES,
    "snn_spike_node": packing.SPIKE_NODE_BYTES,
    "snn_packed_node": packing.SPIKE_NODE_BYTES + packing.SHIFT_POINTER_BYTES,
    "snn_packed_head_node": packing.HEAD_BYTES + packing.SHIFT_POINTER_BYTES,
    "snn_edge": packing.EDGE_BYTES,
    "snn_or_pool_node": packing.OR_POOL_BYTES,
    "snn_head_node": packing.HEAD_BYTES,
}


ROW = (0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)
"""Channels of a row's bytes: bytes 0 and 2 of a word are one packed pair of channels, 1 and 3 the next."""


def size_bytes(symbol: Values | Structs) -> int:
    if isinstance(symbol, Values):
        return int(symbol.array.nbytes)
    return STRUCT_BYTES[symbol.c_type] * len(symbol.items)


@pytest.mark.parametrize("seed", range(20))
def test_symbols_and_sizes_are_those_that_are_counted(seed: int) -> None:
    graph = random_graph(seed)
    placed = {buffer.name: buffer for buffer in buffers(graph)}
    answer = known_answer(random_images(graph, 1)[0], np.zeros(graph.head.classes, np.int32))
    written = {symbol.symbol: size_bytes(symbol) for symbol in [*constants(graph, placed), *answer]}
    counted = {constant.symbol: constant.size_bytes for constant in packing.constants(graph)}
    assert written | {"info": packing.INFO_BYTES} == counted


def test_a_weight_row_holds_one_input_of_sixteen_channels() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(-128, 128, (18, 5, 3, 3)).astype(np.int8)
    second = rng.integers(-128, 128, (18, 7, 1, 1)).astype(np.int8)
    node = Lif("node", Shape(18, 4, 4), (SpikeConv("a", 3, 1, first), SpikeConv("b", 1, 1, second)))
    packed = packed_weights(node)
    assert packed is not None and packed.shape == (2, 9 * 5 + 7, 16) and packed.flags.c_contiguous
    for channel, source, row, column in ((0, 0, 0, 0), (15, 4, 2, 1), (16, 3, 1, 2), (17, 4, 2, 2)):
        weight_row = (row * 3 + column) * 5 + source
        place = ROW.index(channel % 16)
        assert packed[channel // 16, weight_row, place] == first[channel, source, row, column]
    assert packed[1, 45 + 6, 1] == second[17, 6, 0, 0]
    assert not packed[1, :, 2:].any()


@pytest.mark.parametrize("bits", [4, 2])
def test_a_packed_row_holds_sixteen_codes(bits: int) -> None:
    """Every code is found where the kernels look: byte b of a row in byte b % 4 of a word, from its low bits up."""
    rng, shift = np.random.default_rng(0), np.arange(18, dtype=np.uint8) % 4
    code = rng.integers(-MAX_CODE[bits], MAX_CODE[bits] + 1, (18, 5, 3, 3))
    weight = (code << shift.reshape(-1, 1, 1, 1)).astype(np.int8)
    node = Lif("node", Shape(18, 4, 4), (SpikeConv("a", 3, 1, weight),), bits=bits, code_shift=shift)
    packed = packed_weights(node)
    assert packed is not None and packed.dtype == np.uint8 and packed.shape == (2, 45, 2 * bits)
    held = 8 // bits
    for channel in range(32):
        block, place = channel // 16, ROW.index(channel % 16)
        word, within = divmod(place, 4 * held)
        byte = packed[block, :, 4 * word + within % 4]
        found = (byte >> (bits * (within // 4)) & (1 << bits) - 1).astype(int) - (1 << bits - 1)
        expected = code[channel].transpose(1, 2, 0).ravel() if channel < 18 else np.zeros(45)
        assert np.array_equal(found, expected), channel


def test_a_packed_head_begins_each_class_with_a_byte() -> None:
    code = np.array([[1, -1, 0, 1, -1], [0, 0, 0, 0, 1]])
    shift = np.array([2, 0], np.uint8)
    weight = (code << shift[:, None]).astype(np.int8)
    graph = _with_head(random_graph(1), "count")
    head = replace(graph.head, classes=2, weight=weight, bits=2, code_shift=shift)
    # Codes have 2 added: 3, 1, 2, 3 and 1 of the first class.
    assert packed_head(graph, head).tolist() == [
        [0b11_10_01_11, 0b10_10_10_01],
        [0b10_10_10_10, 0b10_10_10_11],
    ]


def test_flattened_features_follow_the_camera_s_order() -> None:
    graph = _with_head(random_graph(1), "flatten")
    shape, head = graph.source_shape(graph.head.source), graph.head
    assert head.weight is not None
    packed = packed_head(graph, head)
    for channel, row, column in ((0, 0, 0), (shape.channels - 1, shape.height - 1, shape.width - 1)):
        theirs = (channel * shape.height + row) * shape.width + column
        ours = (row * shape.width + column) * shape.channels + channel
        assert np.array_equal(packed[:, ours], head.weight[:, theirs])


def test_counted_features_stay_in_order() -> None:
    graph = _with_head(random_graph(1), "count")
    assert np.array_equal(packed_head(graph, graph.head), graph.head.weight)  # type: ignore[arg-type]


def test_channels_are_padded_to_whole_blocks() -> None:
    assert padded(np.arange(3), 7).tolist() == [0, 7, 1, 7, 2, 7] + [7] * 10
    pairs = padded(np.arange(32), 7).reshape(2, 8, 2)
    assert pairs[0].tolist() == [[k, k + 8] for k in range(8)] and np.array_equal(pairs[1], pairs[0] + 16)


def test_words_of_pixel_weights_have_two_channels_and_two_taps() -> None:
    weight = np.random.default_rng(0).integers(-128, 128, (17, 3, 3, 3)).astype(np.int8)
    words = pixel_weights(Lif("stem", Shape(17, 4, 4), (PixelConv("pixels", 3, 1, weight),)))
    assert words.shape == (2, 14, 8, 4) and words.flags.c_contiguous
    for channel, source, row, column in (
        (0, 0, 0, 0),
        (7, 1, 2, 1),
        (8, 2, 0, 2),
        (15, 2, 2, 2),
        (16, 1, 1, 0),
    ):
        tap, place = (row * 3 + column) * 3 + source, channel % 16
        byte = 2 * (tap % 2) + place // 8
        assert words[channel // 16, tap // 2, place % 8, byte] == weight[channel, source, row, column]
    # The 28th tap and the channels from 17 on are filling.
    assert not words[:, 13, :, 2:].any() and not words[1, :, 1:].any() and not words[1, :, :, 1::2].any()


def test_a_padding_channel_can_never_fire() -> None:
    graph = random_graph(0)
    stem = next(graph.all(Lif))
    edge = stem.edges[0]
    assert isinstance(edge, PixelConv)
    placed = {buffer.name: buffer for buffer in buffers(graph)}
    arrays = {s.symbol: s.array for s in constants(graph, placed) if isinstance(s, Values)}
    extra = slice(stem.shape.channels, None)
    assert (arrays["stem_threshold"][extra] == 32767).all()
    assert not arrays["stem_bias"][extra].any() and not arrays["stem_rounding"][extra].any()


def test_pixels_come_as_a_camera_gives_them() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert pixels_last(image)[1, 2].tolist() == [6, 18]


def _with_head(graph: Graph, features: str) -> Graph:
    shape = graph.source_shape(graph.head.source)
    size = shape.channels if features == "count" else shape.size
    weight = np.random.default_rng(3).integers(-9, 9, (graph.head.classes, size)).astype(np.int8)
    head: Head = replace(graph.head, features=features, weight=weight, bits=8, code_shift=None)  # type: ignore[arg-type]
    return replace(graph, nodes=(*graph.nodes[:-1], head))
