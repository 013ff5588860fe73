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

import numpy as np

from exporters import metadata
from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.operators import OPERATORS, TYPES, Misfit, Tensor, infer
from exporters.tflite.unrolled import METADATA
from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_ITEMS, MAX_OPERANDS, MAX_RANK = 100_000, 8, 4
"""Most tensors, operators or buffers of a model; most inputs of an operator; most axes of a tensor."""

MAX_ELEMENTS = 1 << 26
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
        _require_small(tables.Model.GetRootAs(content, 0), tables)
        model = tables.ModelT.InitFromPackedBuf(content, 0)
        _need(pack(model) == content, "is arranged in a way")
        _require_own(model, tables)
    except Misfit as error:
        raise InputError(f"{path} {error}, which this toolchain never writes; export it again") from error
    except _BROKEN as error:
        raise InputError(f"{path} is a damaged TFLite file; export it again") from error
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


def _require_small(model: Any, tables: Any) -> None:
    """Refuse, before anything is unpacked, lists so long that unpacking them would be the attack."""
    _need(
        model.SubgraphsLength() == 1 and not model.SignatureDefsLength(),
        "has several subgraphs or signatures",
    )
    graph = model.Subgraphs(0)
    lengths = [model.OperatorCodesLength(), model.BuffersLength(), model.MetadataLength()]
    lengths += [graph.TensorsLength(), graph.OperatorsLength()]
    _need(max(lengths) <= MAX_ITEMS, f"has more than {MAX_ITEMS:,} parts")
    _need(graph.InputsLength() == graph.OutputsLength() == 1, "has several inputs or outputs")
    options = {getattr(tables.BuiltinOptions, entry.table or "NONE") for entry in OPERATORS.values()}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        extras = operator.CustomOptionsLength() + operator.IntermediatesLength()
        extras += operator.MutatingVariableInputsLength() + operator.BuiltinOptions2Type()
        _need(operator.BuiltinOptionsType() in options and not extras, "has operators with other options")
        _need(max(operator.InputsLength(), operator.OutputsLength()) <= MAX_OPERANDS, "has too many operands")
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        extras = tensor.ShapeSignatureLength() + tensor.VariantTensorsLength()
        _need(tensor.ShapeLength() <= MAX_RANK and not extras, "has tensors of another kind")
        _need(tensor.Sparsity() is None, "has sparse tensors")


def _require_own(model: Any, tables: Any) -> None:
    """Follow every operator: it must be one of ours, read what is there by then, and give what it declares."""
    graph, buffers = model.subgraphs[0], model.buffers
    _need(
        not any(buffer.offset or buffer.size for buffer in buffers), "keeps constants outside its structure"
    )
    kinds = [_kind(code, tables) for code in model.operatorCodes]
    tensors = [_described(tensor, buffers) for tensor in graph.tensors]
    source = int(graph.inputs[0])
    _need(_at(tensors, source)[1:] == ("uint8", None) and len(tensors[source].shape) == 4, "takes no images")
    known = {source} | {index for index, tensor in enumerate(tensors) if tensor.values is not None}
    for operator in graph.operators:
        kind, inputs, outputs = (
            _at(kinds, operator.opcodeIndex),
            _list(operator.inputs),
            _list(operator.outputs),
        )
        _need(known.issuperset(inputs), "uses values before they are there")
        _need(len(outputs) == 1 and not known.intersection(outputs), "has operators with other outputs")
        result = infer(kind, [tensors[index] for index in inputs], _options(kind, operator, tables))
        _need(result == _at(tensors, outputs[0]), f"has a {kind} that does not give what it says")
        exact = [graph.tensors[index].quantization for index in inputs if kind == "DEQUANTIZE"]
        _need(all(map(_exact, exact)), "has weights with another scale than one")
        known.update(outputs)
    scores = int(graph.outputs[0])
    _need(
        scores in known and tensors[scores].dtype == "int32" and len(tensors[scores].shape) == 2,
        "gives no scores",
    )


def _kind(code: Any, tables: Any) -> str:
    for name, entry in OPERATORS.items():
        if (code.builtinCode, code.version) == (getattr(tables.BuiltinOperator, name), entry.version):
            return name
    raise Misfit("has other operators")


def _described(tensor: Any, buffers: list[Any]) -> Tensor:
    shape = tuple(_list(tensor.shape))
    dtype = next((name for name, number in TYPES.items() if number == tensor.type), None)
    _need(min(shape, default=1) > 0 and prod(shape) <= MAX_ELEMENTS, "has empty or enormous tensors")
    if dtype is None or tensor.isVariable:
        raise Misfit("has tensors of another type")
    data = _at(buffers, tensor.buffer).data
    if data is None:
        return Tensor(shape, dtype)
    _need(data.size == prod(shape) * np.dtype(dtype).itemsize, "has constants of another size than they say")
    return Tensor(shape, dtype, data.view(dtype).reshape(shape))


def _options(kind: str, operator: Any, tables: Any) -> dict[str, Any]:
    """The options that we set; all others must have the values that the schema gives them."""
    table = OPERATORS[kind].table
    _need(operator.builtinOptionsType == getattr(tables.BuiltinOptions, table or "NONE"), "has other options")
    if table is None:
        return {}
    stated = vars(operator.builtinOptions)
    defaults = vars(getattr(tables, f"{table}T")())
    ours = OPERATORS[kind].options
    _need(all(stated[name] == defaults[name] for name in defaults if name not in ours), "has other options")
    return {name: stated[name] for name in ours}


def _exact(quantization: Any) -> bool:
    """Whether dequantizing changes the type and nothing else."""
    if quantization is None or quantization.scale is None:
        return False
    return (
        list(quantization.scale) == [1.0]
        and _list(quantization.zeroPoint) == [0]
        and not quantization.detailsType
    )


def _at(items: list[Any], index: int) -> Any:
    _need(0 <= index < len(items), "refers to parts that are not there")
    return items[index]


def _list(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]


def _need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Misfit(otherwise)
