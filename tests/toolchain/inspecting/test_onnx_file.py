from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporters.onnx.forms import build
from tests.support.graphs import random_graph
from tests.support.models import foreign_onnx, written
from toolchain.errors import InputError
from toolchain.framing.parts import Value
from toolchain.graph.nodes import Lif
from toolchain.inspecting.onnx_file import inspect_onnx

SEED = 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("form", ["unrolled", "step"])
def test_our_files_are_told_as_onnx_reads_them(form: str, seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    model = build(graph, form, "board", 15, 8)  # type: ignore[arg-type]
    path = written(tmp_path, "model.onnx", model.SerializeToString())
    found = inspect_onnx(path)
    assert sum(found.operators.values()) == len(model.graph.node)
    assert found.operators["Mul"] == sum(node.op_type == "Mul" for node in model.graph.node)
    stored = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    assert {tensor.name: (tensor.dtype, tensor.shape, tensor.size_bytes) for tensor in found.tensors} == {
        name: (str(array.dtype), array.shape, array.nbytes) for name, array in stored.items()
    }
    sizes = [tensor.size_bytes for tensor in found.tensors]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(found.by_kind.values()) == path.stat().st_size
    assert all(count > 0 for count in found.by_kind.values())
    names = {tensor.name: tensor.kind for tensor in found.tensors}
    assert {kind for name, kind in names.items() if name.endswith(".weight")} == {"weights"}
    assert {kind for name, kind in names.items() if name.endswith(".bias")} == {"biases"}
    assert {kind for name, kind in names.items() if name.endswith(".threshold")} == {"constants"}
    assert found.facts["graph_sha256"] == graph.sha256() and found.facts["opsets"] == {"ai.onnx": 15}
    for node, told in zip(graph.all(Lif), found.neurons, strict=True):
        assert told.node == node.name and told.reset == node.reset
        assert told.exponents == (node.exponent.min(), node.exponent.max())  # type: ignore[union-attr]
        assert told.thresholds == (node.threshold.min(), node.threshold.max())  # type: ignore[union-attr]
    assert [value.name for value in found.inputs] == ["image"]
    assert [value.name for value in found.outputs] == ["scores"]
    wanted = [f"{node.name}.potential" for node in graph.all(Lif)] + ["spike_counts"]
    assert [value.name for value in found.states] == (wanted if form == "step" else [])


def test_a_foreign_file(tmp_path: Path) -> None:
    found = inspect_onnx(written(tmp_path, "m.onnx", foreign_onnx().SerializeToString()))
    assert found.inputs == (Value("x", "float32", ("N", 2, 8, 8)),)
    assert found.states == (Value("m", "float32", ("N", 6, 6, 6)),)
    assert found.outputs == (Value("y", "float32", ()),)
    assert found.operators == {"Conv": 2, "Add": 1, "com.example.Custom": 1}
    assert [(tensor.name, tensor.kind) for tensor in found.tensors] == [
        ("w1", "weights"),
        ("w2", "weights"),
        ("b2", "biases"),
    ]
    assert found.facts["producer"] == "another" and found.facts["author"] == "somebody"
    assert found.neurons == ()


def test_constants_of_operators_and_of_subgraphs_are_seen(tmp_path: Path) -> None:
    model = foreign_onnx()
    tensor = numpy_helper.from_array(np.zeros(100, np.float32), "t")
    body = helper.make_graph([helper.make_node("Constant", [], ["big"], value=tensor)], "body", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=body, else_branch=body))
    found = inspect_onnx(written(tmp_path, "m.onnx", model.SerializeToString()))
    assert found.operators["Constant"] == 2 and found.operators["If"] == 1
    assert (found.tensors[0].name, found.tensors[0].size_bytes) == ("big", 400)


def test_other_files_are_named_and_not_opened(tmp_path: Path) -> None:
    model = foreign_onnx()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights/w1.bin")
    found = inspect_onnx(written(tmp_path, "m.onnx", model.SerializeToString()))
    assert found.notes == ("1 tensors are kept in other files, which were not opened",)
    assert found.tensors[-1].size_bytes == 0


@pytest.mark.parametrize("place", ["../w1.bin", "/etc/passwd", "a/../../b", "C:\\w1.bin", "..\\w1.bin", ""])
def test_other_files_outside_the_folder_are_refused(place: str, tmp_path: Path) -> None:
    model = foreign_onnx()
    model.graph.initializer[0].external_data.add(key="location", value=place)
    with pytest.raises(InputError, match="keeps weights outside its folder, in "):
        inspect_onnx(written(tmp_path, "m.onnx", model.SerializeToString()))


def large_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 1 << 50


def negative_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = -4


def other_size(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 5


def no_content(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")


def large_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 60


def deep(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    for _ in range(20):
        body = helper.make_graph([helper.make_node("Loop", [], [], body=body)], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", [], [], body=body))


def long_name(model: onnx.ModelProto) -> None:
    model.graph.node[0].name = model.graph.node[0].op_type = "a" * 5000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (large_shape, r"has a tensor 'w1' with the shape \[1125899906842624, 2, 3, 3\]"),
        (negative_shape, r"has a tensor 'w1' with the shape \[-4, 2, 3, 3\]"),
        (other_size, "has a tensor 'w1' of 288 bytes whose shape needs 360"),
        (no_content, "has a tensor 'w1' without content"),
        (large_input, r"has a tensor 'x' with the shape"),
        (deep, "has more than 16 graphs within each other"),
        (long_name, "has a name of 5,000 bytes"),
    ],
)
def test_what_cannot_be_is_refused(change, reason: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = foreign_onnx()
    change(model)
    with pytest.raises(InputError, match=reason):
        inspect_onnx(written(tmp_path, "m.onnx", model.SerializeToString()))
