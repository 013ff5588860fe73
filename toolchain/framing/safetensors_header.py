"""A safetensors file's header, held against the file (format: the safetensors README)."""

from __future__ import annotations

import json
import mmap
from typing import Any, NamedTuple

from toolchain.framing.elements import require_bytes, require_extents
from toolchain.framing.mapped import Damaged

MAX_HEADER_BYTES = 4 * 1024 * 1024
"""Longest header that is parsed: some ten thousand tensors."""

TYPES = {
    "BOOL": ("bool", 8), "U8": ("uint8", 8), "I8": ("int8", 8), "U16": ("uint16", 16), "I16": ("int16", 16),
    "U32": ("uint32", 32), "I32": ("int32", 32), "U64": ("uint64", 64), "I64": ("int64", 64), "F16": ("float16", 16),
    "BF16": ("bfloat16", 16), "F32": ("float32", 32), "F64": ("float64", 64), "F8_E4M3": ("float8e4m3", 8),
    "F8_E5M2": ("float8e5m2", 8),
}  # fmt: skip


class Stored(NamedTuple):
    """A tensor of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


def read_header(content: bytes | mmap.mmap) -> tuple[list[Stored], dict[str, str]]:
    """Tensors and metadata; raises ``Damaged`` if they do not fit the file exactly."""
    length = int.from_bytes(content[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise Damaged(f"has a header of {length:,} bytes" if len(content) > length else "")
    try:
        header: Any = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        raise Damaged from None
    if not isinstance(header, dict):
        raise Damaged
    stated = header.pop("__metadata__", {})
    if not isinstance(stated, dict) or not all(isinstance(text, str) for text in stated.values()):
        raise Damaged
    found, ranges = [], []
    for name, entry in header.items():
        tensor, first, end = _tensor(name, entry)
        found.append(tensor)
        ranges.append((first, end))
    position = 0
    for first, end in sorted(ranges):
        if first != position or end < first:
            raise Damaged("has tensors that overlap, or bytes between them")
        position = end
    if position != len(content) - 8 - length:
        raise Damaged("has tensors that lie outside the file, or bytes behind them")
    return found, {str(key): text for key, text in stated.items()}


def _tensor(name: str, entry: Any) -> tuple[Stored, int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Damaged
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not all(
        isinstance(part, list) and all(type(item) is int for item in part) for part in (shape, offsets)
    ):
        raise Damaged
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in TYPES or len(offsets) != 2:
        raise Damaged
    dtype, bits = TYPES[entry["dtype"]]
    require_extents(name, shape)
    require_bytes(name, shape, bits, offsets[1] - offsets[0])
    return Stored(name, dtype, tuple(shape), offsets[1] - offsets[0]), offsets[0], offsets[1]
