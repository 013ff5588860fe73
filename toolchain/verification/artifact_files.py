"""Whether a file is what its name says, without loading it: sizes of what is not an artifact mean nothing.

Only the framing is read: a TFLite file's identifier, and the outermost fields of an ONNX file. A file that
passes may still be refused by its runtime; ``verify`` tells.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from toolchain.errors import InputError

MAX_FILE_BYTES = 2 * 1024**3
"""Largest artifact that is looked at; protobuf and flatbuffers end there."""

_TFLITE = b"TFL3"
# Field numbers in onnx.proto: ModelProto.ir_version and .graph, GraphProto.initializer, TensorProto.external_data.
_IR_VERSION, _GRAPH, _INITIALIZER, _EXTERNAL_DATA = 1, 7, 5, 13
_MAX_FIELDS = 1_000_000


def require_model(path: Path) -> int:
    """Size in bytes of the .onnx or .tflite file ``path``; raises ``InputError`` if it is not such a file.

    An ONNX file whose weights are in other files is refused, because its own size is not what it takes.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError(f"{path} is not a file; check the path")
        if not 8 <= size <= MAX_FILE_BYTES:
            raise InputError(f"{path} has {size:,} bytes and is no model; export it again")
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if path.suffix == ".tflite":
                if content[4:8] != _TFLITE:
                    raise InputError(f"{path} is not a TFLite file; export it again")
            else:
                _require_onnx(path, content)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return size


def _require_onnx(path: Path, content: mmap.mmap) -> None:
    found = set()
    try:
        for number, start, end in _fields(content, 0, len(content)):
            found.add(number)
            if number == _GRAPH:
                for inner, first, last in _fields(content, start, end):
                    if inner == _INITIALIZER and any(
                        field == _EXTERNAL_DATA for field, _, _ in _fields(content, first, last)
                    ):
                        raise InputError(
                            f"{path} keeps weights in other files, so its size cannot be checked; save it as one file"
                        )
    except _Damaged:
        raise InputError(f"{path} is not an ONNX file, or is damaged; export it again") from None
    if not {_IR_VERSION, _GRAPH} <= found:
        raise InputError(f"{path} is not an ONNX file, or is damaged; export it again")


class _Damaged(Exception):
    """The framing does not fit the file."""


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each protobuf field in a range (encoding: protobuf's "Encoding" page)."""
    position = start
    for _ in range(_MAX_FIELDS):
        if position == end:
            return
        tag, position = _varint(content, position, end)
        wire = tag & 7
        if wire == 0:
            _, after = _varint(content, position, end)
        elif wire == 2:
            length, position = _varint(content, position, end)
            after = position + length
        elif wire in (1, 5):
            after = position + (8 if wire == 1 else 4)
        else:
            raise _Damaged
        if after > end or tag >> 3 == 0:
            raise _Damaged
        yield tag >> 3, position, after
        position = after
    raise _Damaged


def _varint(content: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise _Damaged
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
    raise _Damaged
