"""Hostile and broken artifacts: one clear sentence each, nothing run, no other file read, no crash."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import exporters.onnx.read
import exporters.tflite.read
from exporters import metadata
from exporters.onnx.forms import build as build_onnx
from exporters.tflite import build as build_tflite
from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from tests.support.graphs import random_graph, random_images
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import SpikeConv
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime, OnnxStepRuntime
from toolchain.verification.runtimes.tflite import TfliteRuntime, available

TABLES = schema.load()
READERS = {"model.onnx": exporters.onnx.read.facts, "model.tflite": exporters.tflite.read.facts}
RUNTIMES: dict[str, Any] = {"model.onnx": OnnxRuntime, "model.tflite": TfliteRuntime}


def graph_with_everything() -> Graph:
    """A random graph whose artifacts use convolutions of spikes over several time steps."""
    for seed in range(100):
        graph = random_graph(seed)
        edges = [edge for node in graph.nodes for edge in getattr(node, "edges", ())]
        if graph.time_steps > 2 and any(isinstance(edge, SpikeConv) for edge in edges):
            return graph
    raise AssertionError("no such graph")


GRAPH = graph_with_everything()
IMAGES = random_images(GRAPH, 2)


def valid(name: str) -> bytes:
    if name == "model.onnx":
        return build_onnx(GRAPH, "unrolled", "board", 15, 7).SerializeToString(deterministic=True)
    return build_tflite(GRAPH, "board")


def refused(path: Path, content: bytes | None = None) -> str:
    """The one sentence with which both the reader and the runtime refuse ``path``."""
    if content is not None:
        path.write_bytes(content)
    for use in (READERS[path.name], RUNTIMES[path.name]):
        with pytest.raises(InputError) as caught:
            use(path)
        sentence = str(caught.value)
        assert str(path) in sentence and "\n" not in sentence and len(sentence) < 600
        assert sentence.isprintable()
    return sentence


@pytest.mark.parametrize("name", READERS)
def test_files_that_are_no_artifacts(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert "does not exist" in refused(path)
    path.mkdir()
    assert "is not a file" in refused(path)
    path.rmdir()
    for content in (b"", b"\0" * 64, b"hello, this is text\n" * 10, b"TFL3" * 20, b"PK\x03\x04" + bytes(60)):
        refused(path, content)


@pytest.mark.parametrize("name", READERS)
def test_huge_files_are_not_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.truncate(metadata.MAX_ARTIFACT_BYTES + 1)
    assert f"more than the {metadata.MAX_ARTIFACT_BYTES:,}" in refused(path)


@pytest.mark.parametrize("name", READERS)
def test_truncated_files(name: str, tmp_path: Path) -> None:
    content = valid(name)
    for size in np.linspace(1, len(content) - 1, 12).astype(int):
        refused(tmp_path / name, content[:size])


@pytest.mark.parametrize("name", READERS)
def test_flipped_bytes_are_refused_or_harmless(name: str, tmp_path: Path) -> None:
    """A file that is still well-formed (a weight changed, say) must run; any other must be refused."""
    rng, path, content = random.Random(0), tmp_path / name, valid(name)
    refusals = 0
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            READERS[name](path)
            RUNTIMES[name](path).scores(IMAGES)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert 0 < refusals < 40


def onnx_with(change: Callable[[onnx.ModelProto], Any]) -> bytes:
    model = build_onnx(GRAPH, "unrolled", "board", 15, 7)
    change(model)
    return model.SerializeToString()


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


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
        lambda model: put(model.graph.input[0].type.tensor_type.shape.dim[0], "dim_param", "QQQQ")
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


def tflite_with(change: Callable[[Any, Any], Any]) -> bytes:
    """The model with a change to (model, subgraph), serialized as the exporter does."""
    model = TABLES.ModelT.InitFromPackedBuf(build_tflite(GRAPH, "board"), 0)
    change(model, model.subgraphs[0])
    return pack(model)


def find(model: Any, kind: str) -> Any:
    """The first operator of a kind."""
    wanted = getattr(TABLES.BuiltinOperator, kind)
    return next(
        entry
        for entry in model.subgraphs[0].operators
        if model.operatorCodes[entry.opcodeIndex].builtinCode == wanted
    )


def put(target: Any, name: str, value: Any) -> None:
    setattr(target, name, value)


def first_weight(graph: Any) -> Any:
    return next(tensor for tensor in graph.tensors if tensor.type == TABLES.TensorType.INT8)


def custom_operator(model: Any, graph: Any) -> None:
    code = TABLES.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = TABLES.BuiltinOperator.CUSTOM, 32, "Evil"
    model.operatorCodes.append(code)


def flex_stride(model: Any, graph: Any) -> None:
    find(model, "CONV_2D").builtinOptions.strideH = 0


def activation(model: Any, graph: Any) -> None:
    find(model, "CONV_2D").builtinOptions.fusedActivationFunction = 1


def two_subgraphs(model: Any, graph: Any) -> None:
    model.subgraphs.append(graph)


def constant_elsewhere(model: Any, graph: Any) -> None:
    model.buffers[1].offset, model.buffers[1].size = 1 << 20, 1 << 30


def loop(model: Any, graph: Any) -> None:
    operator = find(model, "FLOOR")
    operator.inputs = operator.outputs


def overwritten_weight(model: Any, graph: Any) -> None:
    find(model, "FLOOR").outputs = [graph.tensors.index(first_weight(graph))]


def more_operands(model: Any, graph: Any) -> None:
    find(model, "ADD").inputs = list(range(9))


def sparse(model: Any, graph: Any) -> None:
    first_weight(graph).sparsity = TABLES.SparsityParametersT()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (custom_operator, "has other operators"),
        (flex_stride, "has a CONV_2D of"),
        (activation, "has other options"),
        (two_subgraphs, "has several subgraphs"),
        (constant_elsewhere, "keeps constants outside"),
        (loop, "uses values before they are there"),
        (overwritten_weight, "has operators with other outputs"),
        (more_operands, "has too many operands"),
        (sparse, "has sparse tensors"),
        (lambda model, graph: put(find(model, "ADD"), "inputs", [0, 1 << 30]), "uses values before"),
        (lambda model, graph: put(find(model, "ADD"), "inputs", [-1, 0]), "uses values before"),
        (lambda model, graph: put(find(model, "ADD"), "outputs", [1 << 30]), "parts that are not there"),
        (lambda model, graph: put(find(model, "ADD"), "opcodeIndex", 1 << 30), "parts that are not there"),
        (lambda model, graph: put(graph, "outputs", [1 << 30]), "gives no scores"),
        (lambda model, graph: put(graph, "inputs", [-5]), "parts that are not there"),
        (lambda model, graph: put(graph, "inputs", [0, 0]), "several inputs"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1, -4, 8, 1]), "empty or enormous"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1, 1 << 30, 1 << 30, 1]), "empty or enormous"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1] * 5), "tensors of another kind"),
        (
            lambda model, graph: put(graph.tensors[0], "type", TABLES.TensorType.STRING),
            "tensors of another type",
        ),
        (
            lambda model, graph: put(first_weight(graph), "shape", [1, 1, 1, 1000]),
            "another size than they say",
        ),
        (lambda model, graph: put(first_weight(graph), "buffer", 1 << 30), "parts that are not there"),
        (
            lambda model, graph: put(first_weight(graph).quantization, "scale", [0.5]),
            "another scale than one",
        ),
        (lambda model, graph: put(first_weight(graph), "quantization", None), "another scale than one"),
        (lambda model, graph: put(graph.tensors[0], "isVariable", True), "tensors of another type"),
    ],
)
def test_tflite_files_that_would_break_an_interpreter(
    change: Callable[[Any, Any], Any], reason: str, tmp_path: Path
) -> None:
    sentence = refused(tmp_path / "model.tflite", tflite_with(change))
    assert reason in sentence and sentence.endswith("which this toolchain never writes; export it again")


def test_tflite_bytes_that_two_parsers_could_read_differently(tmp_path: Path) -> None:
    assert "is arranged in a way" in refused(
        tmp_path / "model.tflite", build_tflite(GRAPH, "board") + bytes(16)
    )


def test_tflite_lists_too_long_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporters.tflite.read, "MAX_ITEMS", 10)
    assert "has more than 10 parts" in refused(tmp_path / "model.tflite", build_tflite(GRAPH, "board"))


def test_tflite_metadata_of_another(tmp_path: Path) -> None:
    def rename(model: Any, graph: Any) -> None:
        model.metadata[0].name = "min_runtime_version"

    assert "does not say that this toolchain wrote it" in refused(
        tmp_path / "model.tflite", tflite_with(rename)
    )


def test_what_is_refused_was_otherwise_fine(tmp_path: Path) -> None:
    """The untouched artifacts of this module load and run, so each refusal above is due to its change."""
    for name, use in RUNTIMES.items():
        (tmp_path / name).write_bytes(valid(name))
        assert use(tmp_path / name).scores(IMAGES).shape == (2, GRAPH.head.classes)
    (tmp_path / "model.tflite").write_bytes(tflite_with(lambda model, graph: None))
    for package in available():
        TfliteRuntime(tmp_path / "model.tflite", package).scores(IMAGES)
