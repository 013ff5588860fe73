"""The TFLite files for microcontrollers: what they are made of, and that TensorFlow Lite Micro (TFLM) computes the
integers of the reference from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.base import exporter
from exporters.tflite import micro, micro_read, schema
from exporters.tflite.micro import build
from exporters.tflite.micro_constants import edge_biases
from tests.support import tflm
from tests.support.graphs import of_numbers, random_graph, random_images, with_wrong_weight
from tests.support.large import large_graph
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Leak, Lif, PixelConv, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.catalog import load

TABLES = schema.load()
SEEDS = st.integers(0, 2**32 - 1)
LEAKS = [Leak("none")] + [Leak(form, shift) for form in ("subtract", "shift") for shift in (1, 7, 8, 15)]  # type: ignore[arg-type]


def states(graph: Graph) -> int:
    return 1 + sum(1 for _ in graph.all(Lif))


def unpacked(content: bytes) -> Any:
    return TABLES.ModelT.InitFromPackedBuf(content, 0)


@tflm.needs_tflm
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS)
def test_tflm_computes_the_integers_of_the_reference(seed: int) -> None:
    graph = random_graph(seed)
    images = random_images(graph, 5, seed)
    expected = reference.scores(graph, images)
    np.testing.assert_array_equal(tflm.scores(build(graph, "unrolled", "b"), graph, images), expected)
    np.testing.assert_array_equal(
        tflm.scores(build(graph, "step", "b"), graph, images, states(graph)), expected
    )


@tflm.needs_tflm
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("leak", LEAKS, ids=str)
def test_every_leak_and_reset(leak: Leak, reset: str) -> None:
    graph = random_graph(6)
    assert graph.time_steps > 2
    nodes = [replace(node, leak=leak, reset=reset) if isinstance(node, Lif) else node for node in graph.nodes]
    graph = replace(graph, nodes=tuple(nodes))
    images = random_images(graph, 6)
    expected = reference.scores(graph, images)
    assert len(np.unique(expected, axis=0)) > 2
    np.testing.assert_array_equal(tflm.scores(build(graph, "unrolled", "b"), graph, images), expected)
    np.testing.assert_array_equal(
        tflm.scores(build(graph, "step", "b"), graph, images, states(graph)), expected
    )


@tflm.needs_tflm
def test_a_network_of_a_boards_size_and_a_planted_weight() -> None:
    graph = large_graph()
    images = random_images(graph, 2)
    expected = reference.scores(graph, images)
    np.testing.assert_array_equal(tflm.scores(build(graph, "unrolled", "b"), graph, images), expected)
    wrong = build(with_wrong_weight(graph), "unrolled", "b")
    assert not np.array_equal(tflm.scores(wrong, graph, images), expected)


@tflm.needs_tflm
def test_more_classes_than_share_a_matrix_and_numbers() -> None:
    graph = random_graph(4)
    rng = np.random.default_rng(0)
    head = graph.head
    assert head.weight is not None
    classes = 37
    head = replace(
        head,
        classes=classes,
        weight=rng.integers(-128, 128, (classes, head.weight.shape[1])).astype(np.int8),
        bias=rng.integers(-(10**6), 10**6, classes).astype(np.int32),
        bits=8,
        code_shift=None,
    )
    wide = replace(graph, nodes=(*graph.nodes[:-1], head), labels=tuple(map(str, range(classes))))
    for each in (wide, of_numbers(wide, 18), of_numbers(graph, 1)):
        images = random_images(each, 4)
        expected = reference.scores(each, images)
        np.testing.assert_array_equal(tflm.scores(build(each, "unrolled", "b"), each, images), expected)


def counting(score: int, negative: bool = False) -> Graph:
    """A neuron that forgets at once and fires in each of eight steps for a white pixel: its score is ``score``."""
    stem = Lif(
        "stem",
        Shape(1, 1, 1),
        (PixelConv("pixels", 1, 1, np.full((1, 1, 1, 1), 1, np.int8), np.zeros(1, np.uint8)),),
        Leak("shift", 15),
        "zero",
        np.zeros(1, np.int16),
        np.full(1, 255, np.int16),
        np.full(1, 3, np.uint8),
    )
    weight = -128 if negative else 127
    head = Head(
        "head",
        "stem",
        2,
        "count",
        np.array([[weight], [0]], np.int8),
        np.array([score - 8 * weight, 0], np.int32),
        3,
    )
    nodes = (Input("pixels", Shape(1, 1, 1)), stem, head)
    return Graph(nodes, 8, Preprocessing(1, 1, "grey"), ("score", "nothing"))


@tflm.needs_tflm
@pytest.mark.parametrize(
    "score", [0, 255, 256, 511, 512, -1, -256, -257, -512, 2**23, 5000 - 2**24, 2**24 - 1, 1 - 2**24]
)
def test_scores_of_two_digits(score: int) -> None:
    # At the ends the high digit is clamped, and the low one makes up for it; a bias of the other sign would not fit.
    for negative in (False, True) if abs(score) < 2**24 - 2048 else (score < 0,):
        graph = counting(score, negative)
        images = np.full((1, 1, 1, 1), 255, np.uint8)
        assert reference.scores(graph, images).tolist() == [[score, 0]]
        assert tflm.scores(build(graph, "unrolled", "b"), graph, images).tolist() == [[score, 0]]


@tflm.needs_tflm
def test_white_pixels_reach_the_threshold_and_no_others() -> None:
    graph = counting(0)
    for pixel, spikes in ((254, 0), (255, 8)):
        images = np.full((1, 1, 1, 1), pixel, np.uint8)
        found = tflm.scores(build(graph, "unrolled", "b"), graph, images)
        assert found.tolist() == [[127 * (spikes - 8), 0]]


def lif(*edges: Any, bias: int) -> Lif:
    one = np.ones(1, np.int16)
    return Lif("node", Shape(1, 8, 8), edges, Leak(), "subtract", bias * one, one, np.full(1, 12, np.uint8))


def spike_conv(source: str, low: int, high: int) -> SpikeConv:
    """Currents from ``low`` to ``high``, by as many channels as that takes."""
    weights = (
        [-128] * (-low // 128) + [low % 128 - 128] * bool(low % -128) + [127] * (high // 127) + [high % 127]
    )
    return SpikeConv(source, 1, 1, np.array(weights, np.int8).reshape(1, -1, 1, 1))


def test_the_bias_is_shared_where_a_part_of_the_current_could_leave_int16() -> None:
    plain = lif(spike_conv("a", -100, 900), spike_conv("b", -300, 50), bias=7)
    assert [part.tolist() for part in edge_biases(plain).values()] == [[7], [0]]
    # Up to 50,000 by the second edge, of which the bias takes 30,000.
    node = lif(spike_conv("a", -1000, 10_000), spike_conv("b", 0, 50_000), bias=-30_000)
    parts = edge_biases(node)
    assert sum(part[0] for part in parts.values()) == -30_000
    assert 10_000 + parts[0][0] <= 32_767 and 50_000 + parts[1][0] <= 32_767
    assert -1000 + parts[0][0] >= -32_768 and parts[1][0] >= -32_768


def test_currents_that_cannot_be_added_in_int16_are_refused() -> None:
    node = lif(*[Skip("a")] * 9, bias=-30_000)
    with pytest.raises(InputError, match="node: a sum of its edges' currents can leave int16"):
        edge_biases(node)


def test_more_spikes_than_int16_counts_are_refused(tmp_path: Path) -> None:
    graph = counting(0)
    shape = Shape(1, 70, 70)
    stem = replace(graph.nodes[1], shape=shape)
    large = replace(
        graph, nodes=(Input("pixels", shape), stem, graph.head), preprocessing=Preprocessing(70, 70, "grey")
    )
    with pytest.raises(InputError, match="the head counts up to 39,200 spikes"):
        exporter("micro").export(large, load("stm32f405"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("framed", [False, True])
def test_inputs_outputs_and_facts(tmp_path: Path, framed: bool) -> None:
    graph = random_graph(7, framed)
    paths = exporter("micro").export(graph, load("stm32f405"), tmp_path)
    assert [path.name for path in paths] == ["model_micro.tflite", "model_micro_step.tflite"]
    shape = graph.input.shape
    for path, form in zip(paths, ("unrolled", "step"), strict=True):
        main = unpacked(path.read_bytes()).subgraphs[0]
        ends = [[main.tensors[index] for index in each] for each in (main.inputs, main.outputs)]
        names = [[tensor.name.decode() for tensor in each] for each in ends]
        assert ends[0][0].type == TABLES.TensorType.UINT8 and ends[1][0].type == TABLES.TensorType.INT32
        frames = graph.input.frames if form == "unrolled" else 1
        assert list(ends[0][0].shape) == [frames, shape.height, shape.width, shape.channels]
        assert list(ends[1][0].shape) == [1, graph.head.classes]
        state = [f"{node.name}.potential" for node in graph.all(Lif)] + ["spike_counts"]
        expected = [["image"], ["scores"]]
        if form == "step":
            expected = [["image", *state], ["scores", *(f"{name}.next" for name in state)]]
        assert names == expected
        found = micro_read.load(path)
        assert found.facts["graph_sha256"] == graph.sha256() and found.facts["form"] == form
        assert found.states == (0 if form == "unrolled" else states(graph))
        assert found.shape == tuple(shape)


def test_states_are_written_where_they_were_read() -> None:
    graph = random_graph(9)
    content = build(graph, "step", "b")
    model = unpacked(content)
    main = model.subgraphs[0]
    entry = next(each for each in model.metadata if each.name == micro.PLAN.encode())
    offsets = model.buffers[entry.buffer].data.view(np.int32)[3:]
    assert len(main.inputs) == states(graph) + 1
    assert [offsets[index] for index in main.inputs[1:]] == [offsets[index] for index in main.outputs[1:]]


@settings(max_examples=10)
@given(SEEDS)
def test_files_are_the_same_twice_with_weights_once_and_integers_alone(seed: int) -> None:
    graph = random_graph(seed)
    content = build(graph, "unrolled", "b")
    assert content == build(graph, "unrolled", "b")
    main = unpacked(content).subgraphs[0]
    integers = {getattr(TABLES.TensorType, name) for name in ("INT8", "INT16", "INT32", "INT64", "UINT8")}
    assert {tensor.type for tensor in main.tensors} <= integers
    stored = [tensor.buffer for tensor in main.tensors if tensor.buffer]
    assert len(stored) == len(set(stored))
