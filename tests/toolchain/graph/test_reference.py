"""Hand-computed cases of the integer semantics, and properties against obvious loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import random_graph, random_images
from toolchain.errors import InputError
from toolchain.graph import reference
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

QUARTER = Leak("subtract", 2)


def neuron(threshold: int, leak: Leak = QUARTER, reset: Any = "subtract") -> Lif:
    one = Shape(1, 1, 1)
    return Lif(
        "n",
        one,
        (Skip("x"),),
        leak,
        reset,
        ints([0], "int16"),
        ints([threshold], "int16"),
        ints([6], "uint8"),
    )


def ints(values: Any, dtype: str) -> Any:
    return np.array(values, dtype)


def step(node: Lif, before: int, current: int) -> tuple[int, int]:
    shape = (1, 1, 1, 1)
    spike, after = reference.fire(node, np.full(shape, before, np.int64), np.full(shape, current, np.int64))
    return int(spike.item()), int(after.item())


@pytest.mark.parametrize(
    ("node", "before", "current", "spike", "after"),
    [
        (neuron(64), 0, 64, 1, 0),  # u == theta fires
        (neuron(64), 0, 63, 0, 63),
        (neuron(64), 80, 40, 1, 36),  # 80 - 20 + 40 = 100
        (neuron(64, reset="zero"), 80, 40, 1, 0),
        (
            neuron(64),
            0,
            200,
            1,
            136,
        ),  # a reset by subtraction may leave more than theta; it fires once a step
        (neuron(64), -1, 0, 0, 0),  # -1 leaks up to 0
        (neuron(64, Leak("shift", 1)), -1, 0, 0, -1),  # and here it stays
        (neuron(64, Leak("shift", 1)), -9, 4, 0, -1),
        (neuron(1, Leak("none", 1)), 0, 1, 1, 0),
        (neuron(64), -100, 30, 0, -45),  # -100 - -25 + 30
    ],
)
def test_one_step_by_hand(node: Lif, before: int, current: int, spike: int, after: int) -> None:
    assert step(node, before, current) == (spike, after)


def chain(edges: tuple[Edge, ...], shape: Shape, threshold: int, exponent: int, steps: int = 2) -> Graph:
    """A stem that fires in every step wherever a pixel is 255, and one node under test on it."""
    channels = shape.channels
    eye = np.zeros((channels, channels, 1, 1), np.int8)
    eye[range(channels), range(channels)] = 1
    stem = Lif(
        "stem",
        shape,
        (PixelConv("pixels", 1, 1, eye, np.zeros(channels, np.uint8)),),
        Leak("none", 1),
        "zero",
        np.zeros(channels, np.int16),
        np.full(channels, 255, np.int16),
        np.full(channels, 8, np.uint8),
    )
    first = edges[0]
    stride = first.stride if isinstance(first, SpikeConv) else 1
    out = Shape(channels, -(-shape.height // stride), -(-shape.width // stride))
    node = Lif(
        "node",
        out,
        edges,
        Leak("subtract", 2),
        "subtract",
        np.zeros(channels, np.int16),
        np.full(channels, threshold, np.int16),
        np.full(channels, exponent, np.uint8),
    )
    head = Head(
        "head",
        "node",
        2,
        "count",
        np.array([[1] * channels, [0] * channels], np.int8),
        np.zeros(2, np.int32),
        0,
    )
    preprocessing = Preprocessing(shape.height, shape.width, "as_is")
    return Graph((Input("pixels", shape), stem, node, head), steps, preprocessing, ("on", "off"))


def spikes_of_node(graph: Graph, image: Any) -> Any:
    (trace,) = reference.traces(graph, np.asarray(image, np.uint8)[None])
    return trace.spikes["node"][:, 0]


def test_a_node_with_only_a_skip_repeats_its_source() -> None:
    image = np.array([[[255, 0, 255]]])
    graph = chain((Skip("stem"),), Shape(1, 1, 3), threshold=64, exponent=6)
    assert spikes_of_node(graph, image)[:, 0, 0].tolist() == [[1, 0, 1], [1, 0, 1]]


def test_a_skip_below_threshold_adds_up_over_time_less_the_leak() -> None:
    # 64; 64 - 16 + 64 = 112 >= 100, left 12; 12 - 3 + 64 = 73; 73 - 18 + 64 = 119, left 19
    graph = chain((Skip("stem"),), Shape(1, 1, 1), threshold=100, exponent=6, steps=4)
    assert spikes_of_node(graph, [[[255]]]).ravel().tolist() == [0, 1, 0, 1]


def test_a_pool_counts_its_window_in_eighths_with_zero_padding() -> None:
    # exponent 6: each spike is worth 8; the corner sees 4, an edge 6, the centre 9 of a full 3x3 map
    image = np.full((1, 3, 3), 255)
    by_threshold = {
        threshold: spikes_of_node(chain((Pool("stem"),), Shape(1, 3, 3), threshold, 6, steps=1), image)[
            0, 0
        ].tolist()
        for threshold in (32, 48, 72, 73)
    }
    assert by_threshold[32] == [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert by_threshold[48] == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert by_threshold[72] == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert by_threshold[73] == [[0, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_stride_two_on_an_odd_side_is_padded_alike_on_both_sides() -> None:
    # Output x reads inputs 2x-1, 2x, 2x+1; weights 1, 10, 100 tell which of them fired.
    weight = np.zeros((1, 1, 3, 3), np.int8)
    weight[0, 0, 1] = [1, 10, 100]
    graph = chain((SpikeConv("stem", 3, 2, weight),), Shape(1, 1, 5), threshold=1, exponent=6, steps=1)
    maps = {"stem": np.array([1, 1, 0, 1, 1], np.int64).reshape(1, 1, 1, 5)}
    node = graph.node("node")
    assert isinstance(node, Lif)
    assert reference.node_current(node, maps).ravel().tolist() == [110, 101, 11]


def test_a_pixel_sum_is_rounded_once_half_up_also_below_zero() -> None:
    shape = Shape(1, 1, 4)
    weight = np.array([[[[3]]]], np.int8)
    node = Lif(
        "n",
        shape,
        (PixelConv("pixels", 1, 1, weight, np.array([2], np.uint8)),),
        bias=np.array([1], np.int16),
        threshold=np.array([64], np.int16),
        exponent=np.array([6], np.uint8),
    )
    pixels = {"pixels": np.array([1, 2, 3, 4], np.int64).reshape(1, 1, 1, 4)}
    # 3, 6, 9, 12 quarters: .75 -> 1, 1.5 -> 2, 2.25 -> 2, 3 -> 3; then the bias
    assert reference.node_current(node, pixels).ravel().tolist() == [2, 3, 3, 4]
    negative = replace(node, edges=(replace(node.edges[0], weight=-weight),))
    # -.75 -> -1, -1.5 -> -1 (half up), -2.25 -> -2, -3
    assert reference.node_current(negative, pixels).ravel().tolist() == [0, 0, -1, -2]


def test_or_pooling_drops_an_odd_last_row_and_column() -> None:
    spikes = np.zeros((1, 1, 5, 5), np.int64)
    spikes[0, 0, 1, 3] = 1
    spikes[0, 0, 4, 4] = 1
    assert reference.or_pool(spikes)[0, 0].tolist() == [[0, 1], [0, 0]]


def test_equal_scores_go_to_the_first_class() -> None:
    assert reference.predictions(np.array([[3, 7, 7], [5, 5, 5]], np.int32)).tolist() == [1, 0]


def test_flattened_features_are_in_channel_row_column_order() -> None:
    graph = chain((Skip("stem"),), Shape(2, 1, 2), threshold=64, exponent=6, steps=3)
    weight = np.array([[1, 10, 100, 0], [0, 0, 0, 0]], np.int8)
    head = replace(graph.head, features="flatten", weight=weight)
    graph = replace(graph, nodes=(*graph.nodes[:-1], head))
    image = np.array([[[[255, 0]], [[255, 255]]]], np.uint8)
    assert reference.scores(graph, image).tolist() == [[3 * 101, 0]]


def test_no_images_give_no_scores() -> None:
    graph = random_graph(0)
    assert reference.scores(graph, np.zeros((0, *graph.input.shape), np.uint8)).shape == (
        0,
        graph.head.classes,
    )


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="images are uint8"):
        reference.scores(random_graph(0), np.zeros((1, 9, 9, 9), np.uint8))


def test_a_network_without_weights_is_refused() -> None:
    graph = random_graph(0)
    bare = replace(graph, nodes=(*graph.nodes[:-1], replace(graph.head, weight=None)))
    with pytest.raises(InputError, match=r"no trained weights \(head.weight is missing\)"):
        reference.scores(bare, random_images(graph, 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3]), st.sampled_from([1, 2]))
def test_convolution_is_the_sum_over_its_window(seed: int, kernel: int, stride: int) -> None:
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 256, (2, 3, rng.integers(1, 7), rng.integers(1, 7)))
    weight = rng.integers(-128, 128, (4, 3, kernel, kernel))
    found = reference.convolve(source, weight, stride)
    n, out, height, width = found.shape
    for y in range(height):
        for x in range(width):
            expected = np.zeros((n, out), np.int64)
            for ky in range(kernel):
                for kx in range(kernel):
                    row, column = y * stride + ky - kernel // 2, x * stride + kx - kernel // 2
                    if 0 <= row < source.shape[2] and 0 <= column < source.shape[3]:
                        expected += source[:, :, row, column] @ weight[:, :, ky, kx].T
            assert (found[:, :, y, x] == expected).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_images_do_not_influence_each_other(seed: int) -> None:
    graph = random_graph(seed)
    images = random_images(graph, 3, seed)
    together = reference.scores(graph, images)
    assert all((reference.scores(graph, images[k : k + 1]) == together[k]).all() for k in range(3))


def test_or_pool_node_and_head_on_a_whole_graph() -> None:
    graph = chain((Skip("stem"),), Shape(1, 2, 2), threshold=64, exponent=6, steps=3)
    pool = OrPool("pool", Shape(1, 1, 1), "node")
    head = replace(graph.head, source="pool")
    graph = replace(graph, nodes=(*graph.nodes[:-1], pool, head))
    assert reference.scores(graph, np.array([[[[0, 0], [255, 0]]]], np.uint8)).tolist() == [[3, 0]]
