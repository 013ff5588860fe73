"""What the files for TensorRT look like; that they compute the right integers is tested with their runtime."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from exporters.base import exporter
from exporters.onnx import read, tensorrt
from tests.support.graphs import random_graph
from tests.support.large import large_graph
from toolchain.errors import InputError
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv
from toolchain.profiles.catalog import available, load
from toolchain.profiles.schema import Profile

NANO, ORIN = load("jetson_nano"), load("jetson_orin_nano")

PARSED_BY_8_0 = frozenset(
    "Add Clip Conv DequantizeLinear Flatten Floor Gather Gemm MaxPool Mul QuantizeLinear ReduceSum Sub".split()
)
"""Of operators.md of onnx-tensorrt 8.0, those that are needed here; neither booleans nor casts are among them."""


def stating(**changes: object) -> Profile:
    assert NANO.runtime is not None
    return NANO.model_copy(update={"runtime": NANO.runtime.model_copy(update=changes)})


def test_int8_is_for_boards_whose_gpu_has_it(tmp_path: Path) -> None:
    graph = random_graph(3)
    (single,) = exporter("tensorrt").export(graph, NANO, tmp_path)
    assert single == tmp_path / "model_tensorrt.onnx"
    names = [path.name for path in tensorrt.export(graph, ORIN, tmp_path)]
    assert names == ["model_tensorrt.onnx", "model_tensorrt_int8.onnx"]
    for name in names:
        facts = read.facts(tmp_path / name)
        assert facts["form"] == "tensorrt" and facts["profile"] == "jetson_orin_nano"
        assert facts["graph_sha256"] == graph.sha256()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_file_has_nothing_that_tensorrt_lacks(seed: int, int8: bool) -> None:
    graph = random_graph(seed)
    built = tensorrt.build(graph, "board", int8=int8)
    assert [(entry.domain, entry.version) for entry in built.opset_import] == [("", 13)]
    assert {node.op_type for node in built.graph.node} <= PARSED_BY_8_0
    constants = {tensor.name: tensor for tensor in built.graph.initializer}
    assert len(constants) == len(built.graph.initializer)
    used = {name for node in built.graph.node for name in node.input}
    assert set(constants) <= used, "nothing is stored that is not used"
    types = {TensorProto.FLOAT, TensorProto.INT64} | ({TensorProto.INT8} if int8 else set())
    assert {tensor.data_type for tensor in constants.values()} <= types
    for node in built.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            # Weights are constants, or constants behind one DequantizeLinear.
            assert node.input[1] in constants or node.input[1].endswith(".weight.float")
        if node.op_type.endswith("Linear"):
            scale, zero = (numpy_helper.to_array(constants[name]) for name in node.input[1:])
            assert (np.log2(scale) % 1 == 0).all() and zero.dtype == np.int8 and not zero.any()
    for value in (*built.graph.input, *built.graph.output):
        extents = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        assert value.type.tensor_type.elem_type == TensorProto.FLOAT and extents[0] == 1 and min(extents) > 0


def test_spikes_and_their_weights_are_int8_and_pixels_are_not() -> None:
    graph = large_graph(4)
    built = tensorrt.build(graph, "board", int8=True)
    stored = {tensor.name: tensor.data_type for tensor in built.graph.initializer}
    for node in graph.all(Lif):
        for index, edge in enumerate(node.edges):
            if isinstance(edge, PixelConv | SpikeConv):
                kind = TensorProto.FLOAT if isinstance(edge, PixelConv) else TensorProto.INT8
                assert stored[f"{node.name}.{index}.weight"] == kind
    casts = Counter(node.op_type for node in built.graph.node)
    neurons = sum(1 for _ in graph.all(Lif))
    assert casts["QuantizeLinear"] == neurons * graph.time_steps


@pytest.mark.parametrize("name", [name for name in available() if load(name).core is not None])
def test_a_microcontroller_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"^{name} has no NVIDIA GPU.*export another target"):
        tensorrt.export(random_graph(1), load(name), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (load("raspberry_pi_4b"), r"^raspberry_pi_4b has no TensorRT.*export --target cpu"),
        (stating(tensorrt=None), r"^jetson_nano has no TensorRT: its profile states none in \[runtime\]"),
        (stating(tensorrt="7.1.3"), r"^jetson_nano states TensorRT 7.1.3, but these files need 8.0 or newer"),
        (stating(tensorrt="newest"), r"^jetson_nano states TensorRT newest, but"),
    ],
)
def test_a_board_without_it_is_refused(profile: Profile, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        tensorrt.export(random_graph(1), profile, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_untrained_network_is_refused(tmp_path: Path) -> None:
    graph = random_graph(1)
    untrained = replace(graph, nodes=(*graph.nodes[:-1], replace(graph.head, weight=None)))
    with pytest.raises(InputError, match="no trained weights"):
        tensorrt.export(untrained, NANO, tmp_path)


def test_every_command_switches_tf32_off() -> None:
    assert [(engine.file, engine.precision) for engine in tensorrt.engines(ORIN)] == [
        ("model_tensorrt.onnx", "float32"),
        ("model_tensorrt.onnx", "float16"),
        ("model_tensorrt_int8.onnx", "int8"),
    ]
    commands = {engine.precision: engine.command for engine in tensorrt.engines(ORIN)}
    assert all(" --noTF32" in command for command in commands.values())
    assert commands["float16"] == (
        "trtexec --onnx=model_tensorrt.onnx --saveEngine=model_float16.engine --noTF32 --fp16"
    )
    assert commands["int8"].endswith(" --int8") and "--fp16" not in commands["int8"]
    assert [engine.precision for engine in tensorrt.engines(NANO)] == ["float32", "float16"]
    plain = stating(gpu_fp16=False)
    assert [engine.precision for engine in tensorrt.engines(plain)] == ["float32"]
    for engine, note in zip(tensorrt.engines(ORIN), tensorrt.notes(ORIN), strict=True):
        assert note == f"on the board, {engine.precision}: {engine.command}"


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        [path.read_bytes() for path in tensorrt.export(random_graph(4), ORIN, tmp_path)] for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("int8", [False, True])
def test_onnx_checks_every_shape(int8: bool) -> None:
    built = tensorrt.build(large_graph(2), "board", int8=int8)
    inferred = onnx.shape_inference.infer_shapes(built, check_type=True, strict_mode=True)
    shown = {value.name for value in inferred.graph.value_info} | {"values"}
    assert {name for node in built.graph.node for name in node.output} <= shown
