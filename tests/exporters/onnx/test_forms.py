"""What the ONNX files look like; that they compute the right integers is tested with the runtime."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from exporters.metadata import Form
from exporters.onnx.forms import build
from exporters.onnx.lowering import OPERATORS
from tests.support.graphs import random_graph
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, PixelConv, SpikeConv

FORMS: tuple[Form, ...] = ("unrolled", "step")


def model(seed: int, form: Form, opset: int = 15, ir_version: int = 7) -> tuple[Graph, onnx.ModelProto]:
    graph = random_graph(seed)
    return graph, build(graph, form, "jetson_nano", opset, ir_version)


def deep_graph() -> Graph:
    """A random graph with several time steps and a convolution of spikes."""
    for seed in range(100):
        graph = random_graph(seed)
        convolved = [node for node in graph.all(Lif) for edge in node.edges if isinstance(edge, SpikeConv)]
        if graph.time_steps >= 4 and convolved:
            return graph
    raise AssertionError("no such graph")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FORMS))
def test_weights_are_int8_and_stored_once(seed: int, form: Form) -> None:
    graph, built = model(seed, form)
    stored = {tensor.name: tensor for tensor in built.graph.initializer}
    assert len(stored) == len(built.graph.initializer)
    packed = set[str]()
    weights = {f"{graph.head.name}.weight": graph.head.weight}
    for node in graph.all(Lif):
        for index, edge in enumerate(node.edges):
            if isinstance(edge, (PixelConv, SpikeConv)):
                weights[f"{node.name}.{index}.weight"] = edge.weight
    for name, weight in weights.items():
        assert weight is not None
        if stored[name].data_type == TensorProto.UINT8:
            packed.add(name)
            continue
        assert stored[name].data_type == TensorProto.INT8
        np.testing.assert_array_equal(numpy_helper.to_array(stored[name]), weight)
    kinds = Counter(tensor.data_type for tensor in built.graph.initializer)
    assert kinds[TensorProto.INT8] == len(weights) - len(packed)
    assert kinds[TensorProto.UINT8] == len(packed)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FORMS))
def test_models_are_clean_and_the_same_twice(seed: int, form: Form) -> None:
    _, built = model(seed, form)
    onnx.checker.check_model(built, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(built, check_type=True, strict_mode=True, data_prop=True)
    shapes = {value.name for value in inferred.graph.value_info} | {
        value.name for value in inferred.graph.output
    }
    assert {name for node in built.graph.node for name in node.output} <= shapes
    assert {node.op_type for node in built.graph.node} <= OPERATORS
    used = {name for node in built.graph.node for name in node.input}
    given_names = {value.name for value in (*built.graph.input, *built.graph.initializer)}
    assert given_names <= used, "nothing is stored or asked for that is not used"
    ends = {value.name for value in built.graph.output}
    assert all(name in used | ends for node in built.graph.node for name in node.output), (
        "nothing is computed for nobody"
    )
    again = model(seed, form)[1]
    assert built.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)


def test_what_does_not_change_over_time_is_computed_once() -> None:
    graph = deep_graph()
    built = build(graph, "unrolled", "jetson_nano", 15, 7)
    weight_of = Counter(node.input[1] for node in built.graph.node if node.op_type == "Conv")
    assert weight_of["stem.0.weight.float"] == 1
    spikes = [name for name in weight_of if name.endswith(".weight.float") and not name.startswith("stem.")]
    assert spikes and all(weight_of[name] == graph.time_steps for name in spikes)
    casts = Counter(node.input[0] for node in built.graph.node if node.op_type == "Cast")
    assert max(count for name, count in casts.items() if name.endswith(".weight")) == 1


def test_the_unrolled_form_has_one_input_and_one_output() -> None:
    graph, built = model(5, "unrolled")
    (image,), (scores,) = built.graph.input, built.graph.output
    assert (image.name, scores.name) == ("image", "scores")
    assert image.type.tensor_type.elem_type == TensorProto.UINT8
    assert scores.type.tensor_type.elem_type == TensorProto.INT32
    extents = [dim.dim_param or dim.dim_value for dim in image.type.tensor_type.shape.dim]
    assert extents == ["N", *graph.input.extents]
    assert [dim.dim_param or dim.dim_value for dim in scores.type.tensor_type.shape.dim] == [
        "N",
        graph.head.classes,
    ]


def test_the_step_form_names_its_state() -> None:
    graph, built = model(5, "step")
    state = [f"{node.name}.potential" for node in graph.all(Lif)] + ["spike_counts"]
    assert [value.name for value in built.graph.input] == ["image", *state]
    assert [value.name for value in built.graph.output] == ["scores", *(f"{name}.next" for name in state)]
    assert {value.type.tensor_type.elem_type for value in built.graph.input[1:]} == {TensorProto.FLOAT}
    assert "Feed zeros" in built.doc_string


@pytest.mark.parametrize(("opset", "ir_version"), [(13, 7), (15, 7), (16, 8), (21, 10)])
def test_opset_and_ir_version_are_as_asked(opset: int, ir_version: int) -> None:
    _, built = model(8, "unrolled", opset, ir_version)
    assert [(entry.domain, entry.version) for entry in built.opset_import] == [("", opset)]
    assert built.ir_version == ir_version


def test_properties_are_readable_by_any_runtime() -> None:
    graph, built = model(5, "step")
    properties = {entry.key: entry.value for entry in built.metadata_props}
    assert properties["spikenas.graph_sha256"] == graph.sha256()
    assert properties["spikenas.form"] == "step" and properties["spikenas.profile"] == "jetson_nano"
    assert json.loads(properties["spikenas.preprocessing"]) == graph.preprocessing.to_dict()
    assert json.loads(properties["spikenas.time_steps"]) == graph.time_steps
    assert set(json.loads(properties["spikenas.neurons"])) == {node.name for node in graph.all(Lif)}
    assert built.producer_name == "spikenas-deploy" and built.producer_version
