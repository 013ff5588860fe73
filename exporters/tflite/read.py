"""Reading TFLite artifacts that may be hostile. Nothing is run; no interpreter is needed, only the schema.

Interpreters trust the offsets in a file (tflite-runtime does not check them). So a file is accepted only if
parsing it with bounds checked and writing it anew gives the very same bytes, and if it has nothing but what
this exporter writes.
"""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path
from typing import Any

from exporters import metadata
from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.unrolled import METADATA
from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_ITEMS, MAX_OPERANDS, MAX_RANK = 100_000, 8, 4
"""Most tensors, operators or buffers of a model; most inputs of an operator; most axes of a tensor."""

MAX_ELEMENTS = 1 << 28
"""Most elements of one tensor."""

_BROKEN = (struct.error, ValueError, IndexError, TypeError, AttributeError, OverflowError)
"""What the flatbuffers library raises when an offset or a length leaves the file."""


def load(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Content and facts (see ``exporters.metadata``) of an artifact of this exporter.

    Raises ``InputError`` if missing, too large, broken or foreign, ``ToolMissingError`` without the schema.
    """
    content = read_bytes(path, metadata.MAX_ARTIFACT_BYTES)
    tables = schema.load()
    if content[4:8] != schema.IDENTIFIER:
        raise InputError(f"{path} is not a TFLite file; export it again")
    try:
        reason = _oversized(tables.Model.GetRootAs(content, 0), tables)
        if reason is None:
            model = tables.ModelT.InitFromPackedBuf(content, 0)
            reason = _foreign(model, tables) if pack(model) == content else "is arranged in a way"
    except _BROKEN as error:
        raise InputError(f"{path} is a damaged TFLite file; export it again") from error
    if reason:
        raise InputError(f"{path} {reason}, which this toolchain never writes; export it again")
    return content, _stated(model, str(path))


def facts(path: Path) -> dict[str, Any]:
    """The facts that an artifact states; raises as ``load`` does."""
    return load(path)[1]


def _stated(model: Any, origin: str) -> dict[str, Any]:
    for entry in model.metadata or []:
        if entry.name == METADATA.encode() and 0 < entry.buffer < len(model.buffers):
            data = model.buffers[entry.buffer].data
            return metadata.parse(metadata.from_json(b"" if data is None else data.tobytes(), origin), origin)
    return metadata.parse(None, origin)


def _oversized(model: Any, tables: Any) -> str | None:
    """Refuse, before anything is unpacked, lists so long that unpacking them would be the attack."""
    lengths = [model.OperatorCodesLength(), model.BuffersLength(), model.MetadataLength()]
    if model.SubgraphsLength() != 1 or model.SignatureDefsLength():
        return "has several subgraphs or signatures"
    graph = model.Subgraphs(0)
    lengths += [graph.TensorsLength(), graph.OperatorsLength()]
    if max(lengths) > MAX_ITEMS:
        return f"has more than {MAX_ITEMS:,} parts"
    options = {getattr(tables.BuiltinOptions, table or "NONE") for table, _ in schema.OPERATORS.values()}
    lengths = [graph.InputsLength(), graph.OutputsLength()]
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        if operator.BuiltinOptionsType() not in options or operator.BuiltinOptions2Type():
            return "has operators with other options"
        lengths += [operator.InputsLength(), operator.OutputsLength(), operator.IntermediatesLength()]
        lengths += [operator.MutatingVariableInputsLength(), operator.CustomOptionsLength()]
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        lengths += [tensor.ShapeLength(), tensor.ShapeSignatureLength()]
        if tensor.Sparsity() is not None or tensor.VariantTensorsLength():
            return "has sparse or variant tensors"
    return "has operators or tensors with too many operands" if max(lengths) > MAX_OPERANDS else None


def _foreign(model: Any, tables: Any) -> str | None:
    """What a model has that this exporter never writes; None if there is nothing."""
    graph, buffers = model.subgraphs[0], model.buffers or []
    tables_of = {
        getattr(tables.BuiltinOperator, name): table for name, (table, _) in schema.OPERATORS.items()
    }
    kinds = [code.builtinCode for code in model.operatorCodes or []]
    if any(kind not in tables_of for kind in kinds):
        return "has other operators"
    if any(buffer.offset or buffer.size for buffer in buffers):
        return "keeps constants outside its own structure"
    types = {getattr(tables.TensorType, name) for name in ("FLOAT32", "INT32", "UINT8", "INT8", "BOOL")}
    tensors = graph.tensors or []
    for tensor in tensors:
        shape = _list(tensor.shape)
        if tensor.type not in types or len(shape) > MAX_RANK or min(shape, default=1) < 1:
            return "has tensors of another type or shape"
        if prod(shape) > MAX_ELEMENTS or not 0 <= tensor.buffer < len(buffers) or tensor.isVariable:
            return "has tensors that are too large, variable or without a buffer"
        if tensor.quantization is not None and not _exact(tensor.quantization):
            return "has tensors with another scale than one"
    for operator in graph.operators or []:
        operands = [*_list(operator.inputs), *_list(operator.outputs)]
        if not 0 <= operator.opcodeIndex < len(kinds) or not all(
            0 <= each < len(tensors) for each in operands
        ):
            return "has operators without a type or with unknown operands"
        table = tables_of[kinds[operator.opcodeIndex]]
        if operator.builtinOptionsType != getattr(tables.BuiltinOptions, table or "NONE"):
            return "has operators with the options of others"
    ends = [*_list(graph.inputs), *_list(graph.outputs)]
    if len(ends) != 2 or not all(0 <= end < len(tensors) for end in ends):
        return "has more or fewer than one input and one output"
    return None


def _exact(quantization: Any) -> bool:
    """Whether dequantizing changes the type and nothing else."""
    scale = [] if quantization.scale is None else list(quantization.scale)
    return scale == [1.0] and _list(quantization.zeroPoint) == [0] and quantization.detailsType == 0


def _list(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]
