"""Hostile ONNX files: nothing runs that is not ours, and no other file is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

import exporters.onnx.read
from exporters.onnx.forms import build as build_onnx
from tests.attacks.artifacts import GRAPH, IMAGES, refused, valid
from toolchain.errors import InputError
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime, OnnxStepRuntime


def onnx_with(change: Callable[[onnx.ModelProto], Any]) -> bytes:
    model = build_onnx(GRAPH, "unrolled", "board", 15, 7)
    change(model)
    return bytes(model.SerializeToString())


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def looping(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", [], ["x"], body=body))


def hidden_subgraph(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("body", helper.make_graph([], "body", [], [])))


def constant_attribute(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [0.0])
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def custom_import(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.evil", 1))


def with_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Conv", domain="")


def crowd(model: onnx.ModelProto) -> None:
    for _ in range(exporters.onnx.read.MAX_ITEMS + 1):
        model.graph.node.add()


def without_operators(model: onnx.ModelProto) -> None:
    del model.graph.node[:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external, "keeps constants in another file"),
        (looping, "has the operator 'Loop'"),
        (hidden_subgraph, "with a subgraph or constant of its own"),
        (constant_attribute, "with a subgraph or constant of its own"),
        (custom_domain, "has the operator"),
        (custom_import, "imports other operator sets"),
        (with_function, "has functions"),
        (crowd, "has more than 100,000 parts"),
        (without_operators, "has no operators"),
        (lambda model: model.graph.sparse_initializer.add(), "sparse constants"),
    ],
)
def test_onnx_files_that_reach_for_more(
    change: Callable[[onnx.ModelProto], Any], reason: str, tmp_path: Path
) -> None:
    sentence = refused(tmp_path / "model.onnx", onnx_with(change))
    assert reason in sentence and sentence.endswith("which this toolchain never writes; export it again")


def test_onnx_names_that_are_not_text(tmp_path: Path) -> None:
    content = valid("model.onnx").replace(b"stem.fired.t0", b"stem.\xff\xfe\xfded.t0")
    assert "names that are not text" in refused(tmp_path / "model.onnx", content)


def test_an_onnx_extent_whose_name_is_not_text(tmp_path: Path) -> None:
    content = onnx_with(
        lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[0], "dim_param", "QQQQ")
    )
    assert "names that are not text" in refused(tmp_path / "model.onnx", content.replace(b"QQQQ", b"Q\xd6QQ"))


def test_an_onnx_file_whose_scores_are_none(tmp_path: Path) -> None:
    def point_elsewhere(model: onnx.ModelProto) -> None:
        model.graph.node[-1].input[0] = f"{GRAPH.head.name}.bias"
        del model.graph.output[0].type.tensor_type.shape.dim[0]

    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_with(point_elsewhere))
    with pytest.raises(InputError, match="and not scores"):
        OnnxRuntime(path).scores(IMAGES)


def set_property(name: str, value: str | None) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        kept = [entry for entry in model.metadata_props if entry.key != f"spikenas.{name}"]
        properties = {entry.key: entry.value for entry in kept}
        del model.metadata_props[:]
        helper.set_model_props(model, properties | ({} if value is None else {f"spikenas.{name}": value}))

    return change


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("format", None, "does not say that this toolchain wrote it"),
        ("time_steps", "1000000000", "time_steps is 1000000000"),
        ("time_steps", "[" * 50_000, "broken metadata"),
        ("graph_sha256", "../../etc/passwd", "graph_sha256 is '../../etc/passwd'"),
        ("profile", "x\x1b]0;owned\x07", "profile is"),
        ("preprocessing", '{"height": 1e9}', "broken metadata: preprocessing"),
        ("labels", '["' + "a" * (1 << 20) + '"]', "more than 1,048,576 bytes of metadata"),
    ],
)
def test_hostile_metadata(name: str, value: str | None, reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path / "model.onnx", onnx_with(set_property(name, value)))


def test_an_onnx_step_with_enormous_state(tmp_path: Path) -> None:
    model = build_onnx(GRAPH, "step", "board", 15, 7)
    for extent in model.graph.input[1].type.tensor_type.shape.dim[1:]:
        extent.dim_value = 1 << 20
    path = tmp_path / "model_step.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"model_step.onnx"):
        OnnxStepRuntime(path)
