"""Reading ONNX artifacts that may be hostile. Nothing is run, and onnxruntime is not needed.

Only what this exporter writes is accepted: its operators, constants inside the file, no subgraph and no
function. So a file that passes can neither loop, nor reach for another file, nor use operators that would
not be exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from onnx import AttributeProto, TensorProto

from exporters import metadata
from exporters.onnx.lowering import OPERATORS
from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.framing.mapped import reading
from toolchain.framing.onnx_parts import read_parts

MAX_ITEMS = 100_000
"""Most operators, constants or properties of a model."""


def load(path: Path) -> onnx.ModelProto:
    """Parse an artifact of this exporter; raises ``InputError`` if missing, too large, broken or foreign."""
    content = read_bytes(path, metadata.MAX_ARTIFACT_BYTES)
    # Before a parser makes objects of it: two bytes can ask for one of hundreds.
    with reading(path, "an ONNX"):
        read_parts(content)
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not an ONNX file, or is damaged; export it again") from error
    if reason := _foreign(model):
        raise InputError(f"{path} {reason}, which this toolchain never writes; export it again")
    return model


def facts(path: Path) -> dict[str, Any]:
    """The facts that an artifact states (see ``exporters.metadata``); raises as ``load`` does."""
    return facts_of(load(path), str(path))


def facts_of(model: onnx.ModelProto, origin: str) -> dict[str, Any]:
    """The facts that a loaded model states; raises ``InputError`` if they are missing or broken."""
    return metadata.from_texts({entry.key: entry.value for entry in model.metadata_props}, origin)


def _foreign(model: onnx.ModelProto) -> str | None:
    """What a model has that this exporter never writes; None if there is nothing."""
    graph = model.graph
    if (
        max(
            map(
                len,
                (
                    graph.node,
                    graph.initializer,
                    graph.input,
                    graph.output,
                    graph.value_info,
                    model.metadata_props,
                ),
            )
        )
        > MAX_ITEMS
    ):
        return f"has more than {MAX_ITEMS:,} parts"
    if model.functions or model.training_info or graph.sparse_initializer:
        return "has functions, training or sparse constants"
    if not graph.node:
        return "has no operators"
    if [entry.domain for entry in model.opset_import] != [""]:
        return "imports other operator sets than ONNX's own"
    for node in graph.node:
        if node.domain or node.op_type not in OPERATORS:
            return f"has the operator {node.op_type[:40]!r}"
        if any(entry.type not in (AttributeProto.INT, AttributeProto.INTS) for entry in node.attribute):
            return f"has an operator {node.op_type} with a subgraph or constant of its own"
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            return "keeps constants in another file"
    if not all(isinstance(text, str) for text in _texts(model)):
        return "has names that are not text"
    return None


def _texts(message: Message) -> Iterator[Any]:
    """All texts in a message, which protobuf leaves as bytes where they are not UTF-8."""
    for field, value in message.ListFields():
        items = [value] if isinstance(value, (str, bytes, Message)) else value
        if field.type == FieldDescriptor.TYPE_STRING:
            yield from items
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in items:
                yield from _texts(item)
