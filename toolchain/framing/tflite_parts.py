"""The parts of a TFLite file (field numbers: schema.fbs); no interpreter, schema or numpy is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from toolchain.framing.elements import require_bytes, require_extents
from toolchain.framing.flatbuffer import Table
from toolchain.framing.mapped import Content, Damaged

IDENTIFIER = b"TFL3"

Item = TypeVar("Item")

TYPES = {
    0: ("float32", 32), 1: ("float16", 16), 2: ("int32", 32), 3: ("uint8", 8), 4: ("int64", 64), 5: ("string", 0),
    6: ("bool", 8), 7: ("int16", 16), 8: ("complex64", 64), 9: ("int8", 8), 10: ("float64", 64),
    11: ("complex128", 128), 12: ("uint64", 64), 13: ("resource", 0), 14: ("variant", 0), 15: ("uint32", 32),
    16: ("uint16", 16), 17: ("int4", 4), 18: ("bfloat16", 16), 19: ("int2", 2), 20: ("uint4", 4),
}  # fmt: skip
"""TensorType -> (name, bits of an element)."""


@dataclass(frozen=True)
class Part:
    """A tensor: what it claims, and the range of its content in the file, (0, 0) if it has none."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: tuple[int, int]
    variable: bool


@dataclass(frozen=True)
class Subgraph:
    """``operators`` are (index into ``codes`` of the model, inputs, outputs); tensors are known by their index."""

    tensors: tuple[Part, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]


@dataclass
class Parts:
    """What a model has. ``codes`` are its operators (number, name of its own); ``metadata`` name -> range."""

    description: str
    codes: list[tuple[int, str]] = field(default_factory=list)
    buffers: list[tuple[int, int]] = field(default_factory=list)
    metadata: dict[str, tuple[int, int]] = field(default_factory=dict)
    subgraphs: list[Subgraph] = field(default_factory=list)


def read_parts(content: Content) -> Parts:
    """The parts of the model in ``content``; raises ``Damaged`` if it is none."""
    if content[4:8] != IDENTIFIER:
        raise Damaged
    model = Table.root(content)
    parts = Parts(model.text(3))
    for code in model.tables(1):
        # The older field ends at 127; whoever writes the newer one says there what fits.
        old, new = code.integer(0, "b"), code.integer(3, "i")
        parts.codes.append((max(old, new), code.text(1)))
    parts.buffers = [_content(buffer) for buffer in model.tables(4)]
    if sum(end - start for start, end in set(parts.buffers)) > len(content):
        raise Damaged("has constants that overlap")
    for entry in model.tables(6):
        parts.metadata[entry.text(0)] = _at(parts.buffers, entry.integer(1, "I"))
    parts.subgraphs = [_subgraph(graph, parts) for graph in model.tables(2)]
    if not parts.subgraphs:
        raise Damaged("has no graph")
    return parts


def _content(buffer: Table) -> tuple[int, int]:
    """Where a buffer's bytes are: within the structure, or behind it."""
    offset, size = buffer.integer(1, "Q"), buffer.integer(2, "Q")
    if offset > 1:
        if offset + size > len(buffer.content):
            raise Damaged("has constants that lie outside the file")
        return offset, offset + size
    start, count = buffer.vector(0, 1)
    return start, start + count


def _subgraph(graph: Table, parts: Parts) -> Subgraph:
    tensors = tuple(_tensor(tensor, parts) for tensor in graph.tables(0))
    inputs, outputs = graph.integers(1), graph.integers(2)
    operators = []
    for operator in graph.tables(3):
        code = operator.integer(0, "I")
        _at(parts.codes, code)
        operators.append((code, operator.integers(1), operator.integers(2)))
    used = [inputs, outputs, *(indices for _, *sides in operators for indices in sides)]
    # -1 stands for an input that is left out.
    if any(not -1 <= index < len(tensors) for indices in used for index in indices):
        raise Damaged("refers to tensors that are not there")
    if min((*inputs, *outputs), default=0) < 0:
        raise Damaged("refers to tensors that are not there")
    return Subgraph(tensors, inputs, outputs, tuple(operators))


def _tensor(tensor: Table, parts: Parts) -> Part:
    name, shape, number = tensor.text(3), tensor.integers(0), tensor.integer(1, "b")
    require_extents(name, shape)
    dtype, bits = TYPES.get(number, (f"type {number}", 0))
    content = _at(parts.buffers, tensor.integer(2, "I"))
    if bits and content[0] != content[1] and tensor.table(6) is None:
        require_bytes(name, shape, bits, content[1] - content[0])
    return Part(name, dtype, shape, content, bool(tensor.integer(5, "B")))


def _at(items: list[Item], index: int) -> Item:
    if index >= len(items):
        raise Damaged("refers to parts that are not there")
    return items[index]
