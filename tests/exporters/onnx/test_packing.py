"""Packed weights in ONNX files: small, exact, and unpacked when a file is opened; never in an inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from exporters.onnx import build, runtime_versions
from exporters.onnx.builder import Builder
from exporters.onnx.packing import stored_weight
from tests.support.large import large_graph
from toolchain.cost.artifacts import artifact_bytes
from toolchain.cost.onnx_weights import MIN_INT4_WEIGHTS, MIN_PACKED_WEIGHTS, int4, packs
from toolchain.graph.codes import MAX_CODE
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, Shape, SpikeConv
from toolchain.profiles.catalog import load
from toolchain.profiles.schema import Profile

NAME = "node.0.weight"


NANO, ORIN = load("jetson_nano"), load("jetson_orin_nano")
"""Without and with INT4."""


def model(graph: Graph, profile: Profile = NANO) -> onnx.ModelProto:
    return build(graph, "unrolled", profile.name, *runtime_versions(profile))


def node_with(bits: int, shape: tuple[int, ...]) -> tuple[Lif, np.ndarray]:
    """A node and its weights, of every code."""
    rng = np.random.default_rng(0)
    shift = (np.arange(shape[0]) % 5 if bits == 4 else np.arange(shape[0]) % 7).astype(np.uint8)
    code = rng.integers(-MAX_CODE[bits], MAX_CODE[bits] + 1, shape)
    weight = (code << shift.reshape(-1, *[1] * (len(shape) - 1))).astype(np.int8)
    edge = SpikeConv("stem", shape[-1], 1, weight)
    return Lif("node", Shape(shape[0], 4, 4), (edge,), bits=bits, code_shift=shift), weight


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize("shape", [(64, 64, 1, 1), (33, 16, 3, 3), (7, 1200)])
def test_what_is_unpacked_is_what_was_packed(tmp_path: Path, bits: int, shape: tuple[int, ...]) -> None:
    builder = Builder()
    node, weight = node_with(bits, shape)
    output = stored_weight(builder, node, NAME, weight)
    outputs = {output: (TensorProto.FLOAT, weight.shape)}
    options = {"opset": 13, "ir_version": 7, "properties": {}, "producer": ("a", "b"), "description": ""}
    built = builder.model({}, outputs, **options)  # type: ignore[arg-type]
    (stored,) = (tensor for tensor in built.graph.initializer if tensor.name == NAME)
    assert stored.data_type == TensorProto.UINT8
    assert numpy_helper.to_array(stored).nbytes == weight.size * bits // 8
    session = onnxruntime.InferenceSession(built.SerializeToString())
    assert np.array_equal(session.run([output], {})[0], weight)


@pytest.mark.parametrize("bits", [4, 2])
@pytest.mark.parametrize("shape", [(17, 19, 3, 3), (7, 1201), (63, 63, 1, 1)])
def test_int4_holds_any_number_of_codes(bits: int, shape: tuple[int, ...]) -> None:
    builder = Builder()
    node, weight = node_with(bits, shape)
    output = stored_weight(builder, node, NAME, weight, has_int4=True)
    options = {"opset": 21, "ir_version": 10, "properties": {}, "producer": ("a", "b"), "description": ""}
    built = builder.model({}, {output: (TensorProto.FLOAT, weight.shape)}, **options)  # type: ignore[arg-type]
    (stored,) = (tensor for tensor in built.graph.initializer if tensor.name == NAME)
    assert stored.data_type == TensorProto.INT4 and len(stored.raw_data) == (weight.size + 1) // 2
    session = onnxruntime.InferenceSession(built.SerializeToString())
    assert np.array_equal(session.run([output], {})[0], weight)


@pytest.mark.parametrize("profile", [NANO, ORIN], ids=["bytes", "int4"])
@pytest.mark.parametrize("bits", [4, 2])
def test_nothing_is_unpacked_during_an_inference(tmp_path: Path, bits: int, profile: Profile) -> None:
    """ONNX Runtime writes the graph that it runs: constants have taken the place of all that unpacks."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    built = model(large_graph(bits), profile)
    kinds = {tensor.data_type for tensor in built.graph.initializer}
    assert (TensorProto.INT4 in kinds) == (profile is ORIN)
    assert any(node.op_type == "Concat" for node in built.graph.node) == (profile is NANO or bits == 2)
    onnxruntime.InferenceSession(built.SerializeToString(), options)
    run = onnx.load(str(tmp_path / "run.onnx"))
    assert not any(node.op_type == "Concat" for node in run.graph.node)
    assert not any(".weight" in name for node in run.graph.node for name in node.output)


@pytest.mark.parametrize(("profile", "more", "most"), [(NANO, 0, 3000), (ORIN, 32 * 32, 600)])
def test_files_are_that_much_smaller_and_as_predicted(profile: Profile, more: int, most: int) -> None:
    """``more`` weights are narrow where there is INT4, and the file says less about each convolution: ``most``."""
    graphs = {bits: large_graph(bits) for bits in (8, 4, 2)}
    sizes = {bits: model(graph, profile).ByteSize() for bits, graph in graphs.items()}
    for bits, graph in graphs.items():
        assert 0 <= artifact_bytes(graph, "cpu", profile) - sizes[bits] < 400
    weights = 32 * 32 * 9 + 64 * 32 * 9 + 64 * 64 * 9 + 10 * 64 * 49
    saved = (weights + more) // 2
    assert saved - 5 * most < sizes[8] - sizes[4] < saved
    saved = weights * 6 // 8 + more // 2
    assert saved - 4 * 3000 - more < sizes[8] - sizes[2] < saved


@pytest.mark.parametrize(
    ("weights", "inputs", "bits", "expected"),
    [
        (MIN_PACKED_WEIGHTS, 64, 4, 1),
        (MIN_PACKED_WEIGHTS, 64, 8, 0),
        (MIN_PACKED_WEIGHTS - 1, 64, 4, 0),
        (9 * 1000, 9, 4, 0),
        (10 * 1000, 10, 4, 1),
        (10 * 1000, 10, 2, 0),
    ],
)
def test_what_would_gain_nothing_or_fills_no_bytes_keeps_int8(
    weights: int, inputs: int, bits: int, expected: int
) -> None:
    assert packs(weights, inputs, bits) == expected


@pytest.mark.parametrize(
    ("weights", "outputs", "bits", "expected"),
    [
        (MIN_INT4_WEIGHTS + 8 * 16, 16, 4, 1),
        (MIN_INT4_WEIGHTS + 8 * 16, 16, 8, 0),
        (MIN_INT4_WEIGHTS + 8 * 16 - 1, 16, 4, 0),
        (16 * 16 * 9, 16, 2, 1),
        (64 * 64 * 9, 64, 2, 0),
        (11 * 64 * 9, 64, 2, 1),
    ],
)
def test_int4_is_for_what_it_makes_smallest(weights: int, outputs: int, bits: int, expected: int) -> None:
    assert int4(weights, outputs, weights // (9 * outputs), bits) == expected
