"""Hostile TFLite files: what would break an interpreter is refused before one sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import exporters.metadata
import exporters.tflite.read
from exporters.tflite import build as build_tflite
from exporters.tflite.flatbuffer import pack
from tests.attacks.artifacts import GRAPH, IMAGES, TABLES, find_operator, put, refused
from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.verification.runtimes.tflite import TfliteRuntime, available


def tflite_with(change: Callable[[Any, Any], Any]) -> bytes:
    """The model with a change to (model, subgraph), serialized as the exporter does."""
    model = TABLES.ModelT.InitFromPackedBuf(build_tflite(GRAPH, "board"), 0)
    change(model, model.subgraphs[0])
    return pack(model)


def first_weight(graph: Any) -> Any:
    return next(tensor for tensor in graph.tensors if tensor.type == TABLES.TensorType.INT8)


def custom_operator(model: Any, graph: Any) -> None:
    code = TABLES.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = TABLES.BuiltinOperator.CUSTOM, 32, "Evil"
    model.operatorCodes.append(code)


def flex_stride(model: Any, graph: Any) -> None:
    find_operator(model, "CONV_2D").builtinOptions.strideH = 0


def activation(model: Any, graph: Any) -> None:
    find_operator(model, "CONV_2D").builtinOptions.fusedActivationFunction = 1


def two_subgraphs(model: Any, graph: Any) -> None:
    model.subgraphs.append(graph)


def constant_elsewhere(model: Any, graph: Any) -> None:
    model.buffers[1].offset, model.buffers[1].size = 1 << 20, 1 << 30


def loop(model: Any, graph: Any) -> None:
    operator = find_operator(model, "FLOOR")
    operator.inputs = operator.outputs


def overwritten_weight(model: Any, graph: Any) -> None:
    find_operator(model, "FLOOR").outputs = [graph.tensors.index(first_weight(graph))]


def more_operands(model: Any, graph: Any) -> None:
    find_operator(model, "ADD").inputs = list(range(9))


def sparse(model: Any, graph: Any) -> None:
    first_weight(graph).sparsity = TABLES.SparsityParametersT()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (custom_operator, "has other operators"),
        (flex_stride, "has a CONV_2D of"),
        (activation, "has other options"),
        (two_subgraphs, "has several subgraphs"),
        (constant_elsewhere, "constants that lie outside the file"),
        (loop, "uses values before they are there"),
        (overwritten_weight, "has operators with other outputs"),
        (more_operands, "has too many operands"),
        (sparse, "has sparse tensors"),
        (
            lambda model, graph: put(find_operator(model, "ADD"), "inputs", [0, 1 << 30]),
            "tensors that are not there",
        ),
        (lambda model, graph: put(find_operator(model, "ADD"), "inputs", [-1, 0]), "uses values before"),
        (
            lambda model, graph: put(find_operator(model, "ADD"), "outputs", [1 << 30]),
            "tensors that are not there",
        ),
        (
            lambda model, graph: put(find_operator(model, "ADD"), "opcodeIndex", 1 << 30),
            "parts that are not there",
        ),
        (lambda model, graph: put(graph, "outputs", [1 << 30]), "tensors that are not there"),
        (lambda model, graph: put(graph, "inputs", [-5]), "tensors that are not there"),
        (lambda model, graph: put(graph, "inputs", [0, 0]), "several inputs"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1, -4, 8, 1]), "with the shape"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1, 1 << 30, 1 << 30, 1]), "with the shape"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1] * 5), "tensors of another kind"),
        (
            lambda model, graph: put(graph.tensors[0], "type", TABLES.TensorType.STRING),
            "tensors of another type",
        ),
        (
            lambda model, graph: put(first_weight(graph), "shape", [1, 1, 1, 1000]),
            "whose shape needs 1,000",
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
    assert reason in sentence
    assert sentence.endswith(("which this toolchain never writes; export it again", "or give another file"))


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


def test_an_unchanged_tree_is_accepted_and_runs(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(tflite_with(lambda model, graph: None))
    for package in available():
        assert TfliteRuntime(tmp_path / "model.tflite", package).scores(IMAGES).shape == (
            2,
            GRAPH.head.classes,
        )


@pytest.mark.skipif(
    not available(), reason="no TFLite interpreter is installed; `pip install ai-edge-litert`"
)
@pytest.mark.parametrize("framed", [False, True])
def test_other_frames_than_the_file_says(
    framed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that is given fewer frames than operators take out might read past them."""
    graph, other = (random_graph(2, framed=each) for each in (framed, not framed))
    facts = exporters.metadata.facts(graph, "board", "unrolled")
    lie = {"preprocessing": other.preprocessing.to_dict(), "time_steps": other.time_steps}
    monkeypatch.setattr(exporters.metadata, "facts", lambda *_: facts | lie)
    path = tmp_path / "model.tflite"
    path.write_bytes(build_tflite(graph, "board"))
    with pytest.raises(InputError, match="takes other frames than it says; export it again"):
        TfliteRuntime(path)
