"""A run whose every artifact is real, to be damaged, and files that ask for more than they are."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx

import exporters.c
import exporters.nir
import exporters.onnx
import exporters.onnx.tensorrt
import exporters.tflite
import exporters.tflite.micro
from exporters.c.build import build
from exporters.tflite import schema
from toolchain import runs
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.runs import RunSettings

BOARD = "stm32f405"
"""A microcontroller: its ONNX and TFLite files are compared, and not measured in processes of their own."""

GPU = "jetson_nano"
"""A board that the file for TensorRT may be for."""

MICRO = ("model_micro.tflite", "model_micro_step.tflite") if find_spec("tflite_micro") else ()
"""For TensorFlow Lite Micro, where it is installed."""

MODELS = ("model.onnx", "model_step.onnx", "model_tensorrt.onnx", "model.tflite", "model.nir", *MICRO)


def network() -> Graph:
    """An untaught network for the built-in digits."""
    rng = np.random.default_rng(0)

    def neurons(name: str, edge: Any, side: int) -> Lif:
        arrays = (np.zeros(4, np.int16), np.full(4, 100, np.int16), np.full(4, 8, np.uint8))
        return Lif(
            name, Shape(4, side, side), (edge,), bias=arrays[0], threshold=arrays[1], exponent=arrays[2]
        )

    def weight(*shape: int) -> Any:
        return rng.integers(-50, 50, shape).astype(np.int8)

    stem = neurons("stem", PixelConv("pixels", 3, 2, weight(4, 1, 3, 3), np.full(4, 4, np.uint8)), 8)
    node = neurons("node", SpikeConv("stem", 3, 2, weight(4, 4, 3, 3)), 4)
    head = Head("head", "node", 10, "count", weight(10, 4), np.zeros(10, np.int32), 4)
    pixels = Input("pixels", Shape(1, 16, 16))
    return Graph((pixels, stem, node, head), 2, Preprocessing(16, 16, "grey"), tuple(map(str, range(10))))


def make_run(folder: Path, firmware: bool) -> Path:
    """A run of ``network`` with its ONNX and TFLite files and, if asked for, its firmware."""
    profile, graph = load(BOARD), network()
    made = runs.create(folder, profile, RunSettings())
    save_graph(graph, made.path)
    exporters.onnx.export(graph, profile, made.artifacts)
    exporters.tflite.export(graph, profile, made.artifacts)
    exporters.nir.export(graph, profile, made.artifacts)
    exporters.onnx.tensorrt.export(graph, load(GPU), made.artifacts)
    if MICRO:
        exporters.tflite.micro.export(graph, profile, made.artifacts)
    if firmware:
        exporters.c.export(graph, profile, made.artifacts)
        build(made.artifacts / "c", profile, "zig")
        shutil.rmtree(made.artifacts / "c")
    return made.path


def run_with(run: Path, folder: Path, name: str, content: bytes) -> Path:
    """A copy of ``run`` in ``folder`` of which ``name`` alone, an artifact or a file of the network, is ``content``."""
    for file in ("run.toml", "profile.json", "model.json", "model.safetensors"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / file, folder / file)
    (folder / "artifacts").mkdir()
    if name.startswith("model.") and name.endswith(("json", "safetensors")):
        shutil.copy(run / "artifacts" / "model.onnx", folder / "artifacts" / "model.onnx")
        (folder / name).write_bytes(content)
    else:
        (folder / "artifacts" / name).write_bytes(content)
    return folder


def _varint(number: int) -> bytes:
    return (bytes([number & 127 | 128]) + _varint(number >> 7)) if number > 127 else bytes([number])


def message(number: int, payload: bytes) -> bytes:
    """A protobuf field that holds a message."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def onnx_of(graph: bytes) -> bytes:
    """An ONNX file with these bytes as its graph."""
    return b"\x08\x08" + message(7, graph)


def small_onnx(place: str) -> bytes:
    """An ONNX file whose only weights are in the file ``place``."""
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[16])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "64")):
        tensor.external_data.add(key=key, value=value)
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["w", "w"], ["y"])], "g", [], [], [tensor])
    return bytes(onnx.helper.make_model(graph).SerializeToString())


def shared_names(length: int, count: int) -> bytes:
    """A TFLite file of ``count`` tensors that are one, whose name has ``length`` bytes."""
    tables, builder = schema.load(), flatbuffers.Builder(1 << 16)
    name = builder.CreateString("a" * length)
    tables.TensorStart(builder)
    tables.TensorAddName(builder, name)
    tensor = tables.TensorEnd(builder)
    tables.SubGraphStartTensorsVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    tables.SubGraphStartInputsVector(builder, 1)
    builder.PrependInt32(0)
    ends = builder.EndVector()
    tables.SubGraphStart(builder)
    tables.SubGraphAddTensors(builder, tensors)
    tables.SubGraphAddInputs(builder, ends)
    tables.SubGraphAddOutputs(builder, ends)
    graph = tables.SubGraphEnd(builder)
    tables.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    tables.ModelStart(builder)
    tables.ModelAddVersion(builder, schema.VERSION)
    tables.ModelAddSubgraphs(builder, graphs)
    builder.Finish(tables.ModelEnd(builder), schema.IDENTIFIER)
    return bytes(builder.Output())
