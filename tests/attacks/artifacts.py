"""What the attacks on artifacts share: a network, its untouched artifacts, and the form of a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import exporters.onnx.read
import exporters.tflite.read
from exporters.onnx import tensorrt
from exporters.onnx.forms import build as build_onnx
from exporters.tflite import build as build_tflite
from exporters.tflite import schema
from tests.support.graphs import random_graph, random_images
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import SpikeConv
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime
from toolchain.verification.runtimes.tensorrt_model import TensorrtModel
from toolchain.verification.runtimes.tflite import TfliteRuntime

TABLES = schema.load()
READERS = {
    "model.onnx": exporters.onnx.read.facts,
    "model_tensorrt_int8.onnx": exporters.onnx.read.facts,
    "model.tflite": exporters.tflite.read.facts,
}
RUNTIMES: dict[str, Any] = {
    "model.onnx": OnnxRuntime,
    "model_tensorrt_int8.onnx": TensorrtModel,
    "model.tflite": TfliteRuntime,
}


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
        return bytes(build_onnx(GRAPH, "unrolled", "board", 15, 7).SerializeToString(deterministic=True))
    if name == "model_tensorrt_int8.onnx":
        return bytes(tensorrt.build(GRAPH, "board", int8=True).SerializeToString(deterministic=True))
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


def find_operator(model: Any, kind: str) -> Any:
    """The first operator of a kind in a TFLite model."""
    wanted = getattr(TABLES.BuiltinOperator, kind)
    return next(
        entry
        for entry in model.subgraphs[0].operators
        if model.operatorCodes[entry.opcodeIndex].builtinCode == wanted
    )


def put(target: Any, name: str, value: Any) -> None:
    """An assignment, for a lambda."""
    setattr(target, name, value)
