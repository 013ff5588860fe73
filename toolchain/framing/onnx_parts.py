"""The parts of an ONNX file (field numbers: onnx.proto); neither onnx nor numpy is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from toolchain.framing.elements import require_bytes, require_extents
from toolchain.framing.mapped import Content, Damaged
from toolchain.framing.parts import Operator, Value
from toolchain.framing.protobuf import BYTES, Field, Reader

TYPES = {
    1: ("float32", 32), 2: ("uint8", 8), 3: ("int8", 8), 4: ("uint16", 16), 5: ("int16", 16), 6: ("int32", 32),
    7: ("int64", 64), 8: ("string", 0), 9: ("bool", 8), 10: ("float16", 16), 11: ("float64", 64), 12: ("uint32", 32),
    13: ("uint64", 64), 14: ("complex64", 64), 15: ("complex128", 128), 16: ("bfloat16", 16), 17: ("float8e4m3fn", 8),
    18: ("float8e4m3fnuz", 8), 19: ("float8e5m2", 8), 20: ("float8e5m2fnuz", 8), 21: ("uint4", 4), 22: ("int4", 4),
    23: ("float4e2m1", 4), 24: ("float8e8m0", 8), 25: ("uint2", 2), 26: ("int2", 2),
}  # fmt: skip
"""TensorProto.DataType -> (name, bits of an element)."""

MAX_DEPTH = 16
"""Most subgraphs within each other."""

_RAW_DATA = 9
_TYPED_DATA = (4, 5, 6, 7, 10, 11)
"""TensorProto's fields of content."""


@dataclass(frozen=True)
class Constant:
    """A tensor that is stored; ``elsewhere`` if its content is in another file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int
    elsewhere: bool


@dataclass
class Parts:
    """What a model has: ``opsets`` domain -> version, ``properties`` its metadata, of ``metadata_bytes`` in all."""

    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    metadata_bytes: int = 0
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)


def read_parts(content: Content) -> Parts:
    """The parts of the model in ``content``; raises ``Damaged`` if it is none."""
    reader, parts, graphs = Reader(content), Parts(), 0
    for entry in reader.fields(0, len(content)):
        if entry.number == 1:
            parts.ir_version = reader.integer(entry)
        elif entry.number in (2, 3):
            parts.producer = f"{parts.producer} {reader.text(entry)}".strip()
        elif entry.number == 7:
            graphs += 1
            _graph(reader, _message(entry), parts, 0)
        elif entry.number == 8:
            found = _fields(reader, entry)
            domain = reader.text(found[1]) if 1 in found else ""
            parts.opsets[domain or "ai.onnx"] = reader.integer(found[2]) if 2 in found else 0
        elif entry.number == 14:
            _property(reader, entry, parts)
    if not parts.ir_version or graphs != 1:
        raise Damaged
    return parts


def _graph(reader: Reader, entry: Field, parts: Parts, depth: int) -> None:
    """Add a graph's parts; of a subgraph only its operators and constants."""
    if depth > MAX_DEPTH:
        raise Damaged(f"has more than {MAX_DEPTH} graphs within each other")
    for item in reader.fields(entry.start, entry.end):
        if item.number == 1:
            _node(reader, _message(item), parts, depth)
        elif item.number == 5:
            parts.constants.append(_constant(reader, _message(item)))
        elif item.number in (11, 12) and depth == 0:
            (parts.inputs if item.number == 11 else parts.outputs).append(_value(reader, _message(item)))


def _node(reader: Reader, entry: Field, parts: Parts, depth: int) -> None:
    inputs, outputs, kind, domain, attributes = [], [], "", "", []
    for item in reader.fields(entry.start, entry.end):
        if item.number == 1:
            inputs.append(reader.text(item))
        elif item.number == 2:
            outputs.append(reader.text(item))
        elif item.number == 4:
            kind = reader.text(item)
        elif item.number == 5:
            attributes.append(_message(item))
        elif item.number == 7:
            domain = reader.text(item)
    name = f"{domain}.{kind}" if domain not in ("", "ai.onnx") else kind
    parts.operators.append(Operator(name, tuple(inputs), tuple(outputs)))
    for attribute in attributes:
        for item in reader.fields(attribute.start, attribute.end):
            if item.number == 5:
                # The value of a Constant is known by the operator's output.
                constant = _constant(reader, _message(item))
                parts.constants.append(replace(constant, name=(outputs or [constant.name])[0]))
            elif item.number in (6, 11):
                _graph(reader, _message(item), parts, depth + 1)


def _constant(reader: Reader, entry: Field) -> Constant:
    name, shape, kind, size, raw, elsewhere = "", [], 0, 0, None, False
    for item in reader.fields(entry.start, entry.end):
        if item.number == 1:
            shape += reader.integers(item)
        elif item.number == 2:
            kind = reader.integer(item)
        elif item.number == 8:
            name = reader.text(item)
        elif item.number == _RAW_DATA:
            raw = _message(item).end - item.start
        elif item.number in _TYPED_DATA:
            size += item.end - item.start
        elif item.number == 13:
            elsewhere = True
            _require_beside(reader, item)
        elif item.number == 14:
            elsewhere = elsewhere or reader.integer(item) == 1
    require_extents(name, shape)
    dtype, bits = TYPES.get(kind, (f"type {kind}", 0))
    if raw is not None and bits and not elsewhere:
        require_bytes(name, shape, bits, raw)
    elif raw is None and not size and not elsewhere and 0 not in shape and kind in TYPES:
        raise Damaged(f"has a tensor {name[:40]!r} without content")
    return Constant(name, dtype, tuple(shape), size + (raw or 0), elsewhere)


def _require_beside(reader: Reader, entry: Field) -> None:
    """Raises ``Damaged`` if a tensor's content is in a file that does not lie beside the model."""
    found = _fields(reader, entry)
    if 1 in found and 2 in found and reader.text(found[1]) == "location":
        place = reader.text(found[2])
        parts = place.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise Damaged(f"keeps weights outside its folder, in {place[:60]!r}")


def _value(reader: Reader, entry: Field) -> Value:
    """ValueInfoProto: a name and a type, of which only tensors' are told."""
    found = _fields(reader, entry)
    name = reader.text(found[1]) if 1 in found else ""
    types = _fields(reader, found[2]) if 2 in found else {}
    if 1 not in types:
        return Value(name, "no tensor", ())
    tensor = _fields(reader, types[1])
    number = reader.integer(tensor[1]) if 1 in tensor else 0
    shape = tuple(_extents(reader, tensor[2])) if 2 in tensor else ()
    require_extents(name, [extent for extent in shape if isinstance(extent, int)])
    return Value(name, TYPES.get(number, (f"type {number}", 0))[0], shape)


def _extents(reader: Reader, shape: Field) -> Iterator[int | str]:
    for item in reader.fields(_message(shape).start, shape.end):
        found = _fields(reader, item) if item.number == 1 else {}
        if 1 in found:
            yield reader.integer(found[1])
        else:
            yield reader.text(found[2]) if 2 in found else "?"


def _property(reader: Reader, entry: Field, parts: Parts) -> None:
    found = _fields(reader, entry)
    key = reader.text(found[1]) if 1 in found else ""
    if 2 in found:
        value = _message(found[2])
        parts.metadata_bytes += value.end - value.start
        parts.properties[key] = reader.content[value.start : value.end].decode("utf-8", "backslashreplace")


def _fields(reader: Reader, entry: Field) -> dict[int, Field]:
    """The last field of each number in a message, which is the one that counts."""
    return {item.number: item for item in reader.fields(_message(entry).start, entry.end)}


def _message(entry: Field) -> Field:
    if entry.wire != BYTES:
        raise Damaged
    return entry
