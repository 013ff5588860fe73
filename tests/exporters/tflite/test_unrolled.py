"""What the TFLite file looks like; that it computes the right integers is tested with the interpreters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.base import exporter
from exporters.tflite import build, read, schema
from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv
from toolchain.profiles.catalog import load

TABLES = schema.load()


def unpacked(content: bytes) -> Any:
    return TABLES.ModelT.InitFromPackedBuf(content, 0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_are_int8_and_stored_once(seed: int) -> None:
    graph = random_graph(seed)
    model = unpacked(build(graph, "board"))
    int8 = {
        tensor.name.decode(): tensor
        for tensor in model.subgraphs[0].tensors
        if tensor.type == TABLES.TensorType.INT8
    }
    for node in graph.all(Lif):
        for index, edge in enumerate(node.edges):
            if isinstance(edge, (PixelConv, SpikeConv)):
                assert edge.weight is not None
                tensor = int8.pop(f"{node.name}.{index}.weight")
                stored = model.buffers[tensor.buffer].data.view(np.int8).reshape(tensor.shape)
                np.testing.assert_array_equal(stored, edge.weight.transpose(0, 2, 3, 1))
                assert list(tensor.quantization.scale) == [1] and list(tensor.quantization.zeroPoint) == [0]
    assert list(int8) == [f"{graph.head.name}.weight"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_files_are_the_same_twice_with_all_constants_aligned_and_all_tensors_used(seed: int) -> None:
    content = build(random_graph(seed), "board")
    assert content == build(random_graph(seed), "board")
    start = np.frombuffer(content, np.uint8).ctypes.data
    view = TABLES.Model.GetRootAs(content, 0)
    for index in range(1, view.BuffersLength()):
        assert (view.Buffers(index).DataAsNumpy().ctypes.data - start) % 16 == 0
    graph = unpacked(content).subgraphs[0]
    read_by = {index for operator in graph.operators for index in operator.inputs} | set(graph.outputs)
    assert read_by == set(range(len(graph.tensors)))
    names = [tensor.name for tensor in graph.tensors]
    assert len(set(names)) == len(names)


def test_operators_are_those_of_old_interpreters() -> None:
    for seed in range(8):
        codes = unpacked(build(random_graph(seed), "board")).operatorCodes
        for code in codes:
            assert code.builtinCode == code.deprecatedBuiltinCode
            assert code.version == (2 if code.builtinCode == TABLES.BuiltinOperator.DEQUANTIZE else 1)


@pytest.mark.parametrize("framed", [False, True])
def test_input_and_output(tmp_path: Path, framed: bool) -> None:
    graph = random_graph(7, framed)
    (path,) = exporter("tflite").export(graph, load("raspberry_pi_4b"), tmp_path)
    assert path == tmp_path / "model.tflite" and list(tmp_path.iterdir()) == [path]
    main = unpacked(path.read_bytes()).subgraphs[0]
    image, scores = main.tensors[main.inputs[0]], main.tensors[main.outputs[0]]
    shape = graph.input.shape
    assert (image.name, image.type) == (b"image", TABLES.TensorType.UINT8)
    assert list(image.shape) == [graph.input.frames, shape.height, shape.width, shape.channels]
    assert (scores.name, scores.type) == (b"scores", TABLES.TensorType.INT32)
    assert list(scores.shape) == [1, graph.head.classes]
    facts = read.facts(path)
    assert facts["graph_sha256"] == graph.sha256() and facts["profile"] == "raspberry_pi_4b"
    assert facts["form"] == "unrolled" and facts["time_steps"] == graph.time_steps


def test_boards_without_an_interpreter_and_untrained_networks_are_refused(tmp_path: Path) -> None:
    graph = random_graph(1)
    with pytest.raises(InputError, match=r"jetson_nano names no TFLite interpreter .* export onnx instead"):
        exporter("tflite").export(graph, load("jetson_nano"), tmp_path)
    untrained = replace(graph, nodes=(*graph.nodes[:-1], replace(graph.head, bias=None)))
    with pytest.raises(InputError, match="no trained weights"):
        exporter("tflite").export(untrained, load("raspberry_pi_4b"), tmp_path)
    assert not list(tmp_path.iterdir())
