"""Small models of other makers' tools, and a TFLite file that is nothing but framing."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from exporters.tflite import schema


def foreign_onnx() -> onnx.ModelProto:
    """Two convolutions, the second with a bias, and a state that goes in and out; metadata of its own."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"]),
        helper.make_node("Conv", ["a", "w2", "b2"], ["c"]),
        helper.make_node("Add", ["c", "m"], ["m.next"]),
        helper.make_node("Custom", ["m.next"], ["y"], domain="com.example"),
    ]
    rng = np.random.default_rng(0)
    stored = {"w1": rng.random((4, 2, 3, 3)), "w2": rng.random((6, 4, 1, 1)), "b2": rng.random(6)}
    graph = helper.make_graph(
        nodes,
        "main",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 8, 8]),
            helper.make_tensor_value_info("m", TensorProto.FLOAT, ["N", 6, 6, 6]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "m.next")],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in stored.items()],
    )
    model = helper.make_model(graph, producer_name="another")
    helper.set_model_props(model, {"author": "somebody"})
    return model


def framing_of_tflite(padding_bytes: int = 0) -> bytes:
    """A TFLite file with an empty graph, and a buffer of ``padding_bytes``."""
    tables = schema.load()
    model = tables.ModelT()
    model.version, model.operatorCodes, model.metadata = schema.VERSION, [], []
    model.buffers = [tables.BufferT(), tables.BufferT()]
    model.buffers[1].data = np.zeros(padding_bytes, np.uint8)
    graph = tables.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.subgraphs = [graph]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), schema.IDENTIFIER)
    return bytes(builder.Output())


def written(folder: Path, name: str, content: bytes) -> Path:
    """``content`` as the file ``name``."""
    (folder / name).write_bytes(content)
    return folder / name
