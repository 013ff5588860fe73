from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporters.tflite import build, schema
from exporters.tflite.flatbuffer import pack
from tests.support.graphs import random_graph
from tests.support.models import framing_of_tflite, written
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.inspecting.tflite_file import inspect_tflite

GRAPH = random_graph(2)
TABLES = schema.load()


def changed(change: Any, graph: Graph = GRAPH) -> bytes:
    model = TABLES.ModelT.InitFromPackedBuf(build(graph, "board"), 0)
    change(model, model.subgraphs[0])
    return pack(model)


@pytest.mark.parametrize("seed", range(6))
def test_our_files_are_told_as_the_schema_reads_them(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    path = written(tmp_path, "model.tflite", build(graph, "board"))
    model = TABLES.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    found, main = inspect_tflite(path), model.subgraphs[0]
    assert sum(found.operators.values()) == len(main.operators)
    names = {number: name for name, number in vars(TABLES.BuiltinOperator).items() if isinstance(number, int)}
    assert set(found.operators) == {names[code.builtinCode] for code in model.operatorCodes}
    stored = {
        tensor.name.decode(): (tuple(tensor.shape), model.buffers[tensor.buffer].data.size)
        for tensor in main.tensors
        if model.buffers[tensor.buffer].data is not None
    }
    assert {tensor.name: (tensor.shape, tensor.size_bytes) for tensor in found.tensors} == stored
    kinds = {tensor.name: tensor.kind for tensor in found.tensors}
    assert {kind for name, kind in kinds.items() if name.endswith(".weight")} == {"weights"}
    assert {kind for name, kind in kinds.items() if name.endswith(".bias")} == {"biases"}
    assert {kind for name, kind in kinds.items() if name.endswith(".threshold")} == {"constants"}
    assert sum(found.by_kind.values()) == path.stat().st_size and min(found.by_kind.values()) > 0
    assert found.facts["graph_sha256"] == graph.sha256()
    assert [told.node for told in found.neurons] == [node.name for node in graph.all(Lif)]
    assert [value.name for value in (*found.inputs, *found.outputs)] == ["image", "scores"]


def test_a_foreign_file_has_no_facts_of_ours(tmp_path: Path) -> None:
    def foreign(model: Any, graph: Any) -> None:
        model.metadata, model.description = [], "by another"
        graph.tensors[3].isVariable = True

    found = inspect_tflite(written(tmp_path, "m.tflite", changed(foreign)))
    assert found.facts == {"description": "by another"} and found.neurons == ()
    assert len(found.states) == 1 and found.tensors


def test_an_empty_graph(tmp_path: Path) -> None:
    found = inspect_tflite(written(tmp_path, "m.tflite", framing_of_tflite(100)))
    assert (found.operators, found.tensors, found.inputs) == ({}, (), ())


def shape(*extents: int) -> Any:
    return lambda model, graph: setattr(graph.tensors[1], "shape", list(extents))


def constant(graph: Any) -> Any:
    return next(tensor for tensor in graph.tensors if tensor.name == b"head.bias")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (shape(1, -4, 8, 1), "with the shape"),
        (shape(1 << 30, 1 << 30, 1), "with the shape"),
        (shape(*[1] * 40), "with the shape"),
        (lambda model, graph: setattr(constant(graph), "shape", [1000]), "bytes whose shape needs 4,000"),
        (lambda model, graph: setattr(constant(graph), "buffer", 1 << 30), "parts that are not there"),
        (lambda model, graph: setattr(graph.operators[0], "inputs", [1 << 30]), "tensors that are not there"),
        (lambda model, graph: setattr(graph.operators[0], "inputs", [-7]), "tensors that are not there"),
        (lambda model, graph: setattr(graph.operators[0], "opcodeIndex", 99), "parts that are not there"),
        (lambda model, graph: setattr(graph, "outputs", [-1]), "tensors that are not there"),
        (lambda model, graph: setattr(model, "subgraphs", []), "has no graph"),
        (lambda model, graph: setattr(model.buffers[1], "offset", 1 << 40), "lie outside the file"),
        (lambda model, graph: setattr(constant(graph), "name", "a" * 5000), "a name of 5,000 bytes"),
    ],
)
def test_what_cannot_be_is_refused(change: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason):
        inspect_tflite(written(tmp_path, "m.tflite", changed(change)))
