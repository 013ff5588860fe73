"""Reading TFLite artifacts that may be hostile. Nothing is run; no interpreter is needed, only the schema.

Interpreters trust the offsets in a file (tflite-runtime does not check them). So a file is accepted only if
parsing it with bounds checked and writing it anew gives the very same bytes, and if it has nothing but what
this exporter writes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from exporters import metadata
from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.operators import OPERATORS, TYPES, Misfit, Operator, Tensor, infer
from exporters.tflite.unrolled import METADATA
from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.framing.mapped import reading
from toolchain.framing.tflite_parts import read_parts

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
    content, model = checked(path, OPERATORS, 1, _require_own)
    return content, stated(model, str(path))


def facts(path: Path) -> dict[str, Any]:
    """The facts that an artifact states; raises as ``load`` does."""
    return load(path)[1]


def checked(
    path: Path, operators: Mapping[str, Operator], most_ends: int, require_own: Callable[[Any, Any], None]
) -> tuple[bytes, Any]:
    """Content and tree of a model with these operators and at most so many inputs, and outputs, each.

    ``require_own`` is given the tree and the schema, and raises ``Misfit`` if they are not as we write them.
    """
    content = read_bytes(path, metadata.MAX_ARTIFACT_BYTES)
    tables = schema.load()
    # Before objects are made of it: a text may be shared by as many tensors as there are.
    with reading(path, "a TFLite"):
        read_parts(content)
    try:
        _require_small(tables.Model.GetRootAs(content, 0), tables, operators, most_ends)
        model = tables.ModelT.InitFromPackedBuf(content, 0)
        need(pack(model) == content, "is arranged in a way")
        require_own(model, tables)
    except Misfit as error:
        raise InputError(f"{path} {error}, which this toolchain never writes; export it again") from error
    except _BROKEN as error:
        raise InputError(f"{path} is a damaged TFLite file; export it again") from error
    return content, model


def stated(model: Any, origin: str) -> dict[str, Any]:
    """The facts in a model's metadata; raises ``InputError`` if they are missing or broken."""
    data = metadata_buffer(model, METADATA)
    return metadata.parse(None if data is None else metadata.from_json(data, origin), origin)


def metadata_buffer(model: Any, name: str) -> bytes | None:
    """Content of the metadata called ``name``; None if there is none."""
    for entry in model.metadata or []:
        if entry.name == name.encode() and 0 < entry.buffer < len(model.buffers):
            data = model.buffers[entry.buffer].data
            return b"" if data is None else bytes(data.tobytes())
    return None


def _require_small(model: Any, tables: Any, operators: Mapping[str, Operator], most_ends: int) -> None:
    """Refuse, before anything is unpacked, lists so long that unpacking them would be the attack."""
    need(
        model.SubgraphsLength() == 1 and not model.SignatureDefsLength(),
        "has several subgraphs or signatures",
    )
    graph = model.Subgraphs(0)
    lengths = [model.OperatorCodesLength(), model.BuffersLength(), model.MetadataLength()]
    lengths += [graph.TensorsLength(), graph.OperatorsLength()]
    need(max(lengths) <= MAX_ITEMS, f"has more than {MAX_ITEMS:,} parts")
    need(
        1 <= min(graph.InputsLength(), graph.OutputsLength())
        and max(graph.InputsLength(), graph.OutputsLength()) <= most_ends,
        "has several inputs or outputs",
    )
    options = {getattr(tables.BuiltinOptions, entry.table or "NONE") for entry in operators.values()}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        extras = operator.CustomOptionsLength() + operator.IntermediatesLength()
        extras += operator.MutatingVariableInputsLength() + operator.BuiltinOptions2Type()
        need(operator.BuiltinOptionsType() in options and not extras, "has operators with other options")
        need(max(operator.InputsLength(), operator.OutputsLength()) <= MAX_OPERANDS, "has too many operands")
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        extras = tensor.ShapeSignatureLength() + tensor.VariantTensorsLength()
        need(tensor.ShapeLength() <= MAX_RANK and not extras, "has tensors of another kind")
        need(tensor.Sparsity() is None, "has sparse tensors")


def _require_own(model: Any, tables: Any) -> None:
    graph = model.subgraphs[0]
    for kind, inputs, _, _ in followed(model, tables, OPERATORS):
        exact = [graph.tensors[index].quantization for index in inputs if kind == "DEQUANTIZE"]
        need(all(map(_exact, exact)), "has weights with another scale than one")


def followed(
    model: Any, tables: Any, operators: Mapping[str, Operator]
) -> Iterator[tuple[str, list[int], int, list[Tensor]]]:
    """Follow every operator: it must be one of ours, read what is there by then, and give what it declares.

    Yields its kind, its inputs, its output, and what is known of all tensors. The first input must be images, the
    first output scores; raises ``Misfit`` otherwise.
    """
    graph, buffers = model.subgraphs[0], model.buffers
    need(not any(buffer.offset or buffer.size for buffer in buffers), "keeps constants outside its structure")
    kinds = [_kind(code, tables, operators) for code in model.operatorCodes]
    tensors = [_described(tensor, buffers) for tensor in graph.tensors]
    source = int(graph.inputs[0])
    need(_at(tensors, source)[1:] == ("uint8", None) and len(tensors[source].shape) == 4, "takes no images")
    known = {index for index, tensor in enumerate(tensors) if tensor.values is not None}
    for index in _list(graph.inputs):
        need(_at(tensors, index).values is None and index not in known, "has inputs that are something else")
        known.add(index)
    for operator in graph.operators:
        kind, inputs, outputs = (
            _at(kinds, operator.opcodeIndex),
            _list(operator.inputs),
            _list(operator.outputs),
        )
        need(known.issuperset(inputs), "uses values before they are there")
        need(len(outputs) == 1 and not known.intersection(outputs), "has operators with other outputs")
        options = _options(kind, operator, tables, operators)
        result = infer(kind, [tensors[index] for index in inputs], options, operators)
        need(result == _at(tensors, outputs[0]), f"has a {kind} that does not give what it says")
        yield kind, inputs, outputs[0], tensors
        known.update(outputs)
    scores = int(graph.outputs[0])
    need(
        known.issuperset(_list(graph.outputs))
        and tensors[scores].dtype == "int32"
        and len(tensors[scores].shape) == 2,
        "gives no scores",
    )


def _kind(code: Any, tables: Any, operators: Mapping[str, Operator]) -> str:
    for name, entry in operators.items():
        if (code.builtinCode, code.version) == (getattr(tables.BuiltinOperator, name), entry.version):
            return name
    raise Misfit("has other operators")


def _described(tensor: Any, buffers: list[Any]) -> Tensor:
    shape = tuple(_list(tensor.shape))
    dtype = next((name for name, number in TYPES.items() if number == tensor.type), None)
    need(min(shape, default=1) > 0 and prod(shape) <= MAX_ELEMENTS, "has empty or enormous tensors")
    if dtype is None or tensor.isVariable:
        raise Misfit("has tensors of another type")
    data = _at(buffers, tensor.buffer).data
    if data is None:
        return Tensor(shape, dtype)
    need(data.size == prod(shape) * np.dtype(dtype).itemsize, "has constants of another size than they say")
    return Tensor(shape, dtype, data.view(dtype).reshape(shape))


def _options(kind: str, operator: Any, tables: Any, operators: Mapping[str, Operator]) -> dict[str, Any]:
    """The options that we set; all others must have the values that the schema gives them."""
    table = operators[kind].table
    need(operator.builtinOptionsType == getattr(tables.BuiltinOptions, table or "NONE"), "has other options")
    if table is None:
        return {}
    stated = vars(operator.builtinOptions)
    defaults = vars(getattr(tables, f"{table}T")())
    ours = operators[kind].options
    need(all(stated[name] == defaults[name] for name in defaults if name not in ours), "has other options")
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
    need(0 <= index < len(items), "refers to parts that are not there")
    return items[index]


def _list(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]


def need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Misfit(otherwise)
