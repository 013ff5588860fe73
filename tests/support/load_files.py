"""Writers of Intel HEX and UF2, from the formats' specifications, for tests that must break them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Chunk = tuple[int, bytes]


def record(kind: int, offset: int, data: bytes, *, checksum: int = 0) -> bytes:
    """One line of an Intel HEX file; ``checksum`` is added to the right one."""
    body = bytes([len(data)]) + offset.to_bytes(2, "big") + bytes([kind]) + data
    return b":" + (body + bytes([(checksum - sum(body)) & 0xFF])).hex().upper().encode() + b"\r\n"


END = record(1, 0, b"")


def hex_file(chunks: Iterable[Chunk]) -> bytes:
    """``chunks`` of at most 255 bytes as an Intel HEX file, each within 64 KiB."""
    lines = []
    for address, data in chunks:
        lines += [record(4, 0, (address >> 16).to_bytes(2, "big")), record(0, address & 0xFFFF, data)]
    return b"".join([*lines, END])


def block(
    address: int,
    data: bytes,
    index: int,
    count: int,
    *,
    flags: int = 0x2000,
    family: int = 0xE48BFF56,
    **changes: int,
) -> bytes:
    """One block of a UF2 file; ``changes`` may give ``size``, ``first``, ``second`` and ``last``."""
    head = (changes.get("first", 0x0A324655), changes.get("second", 0x9E5D5157))
    size = changes.get("size", len(data))
    fields = (*head, flags, address, size, index, count, family)
    return struct.pack("<8I476sI", *fields, data, changes.get("last", 0x0AB16F30))


def uf2_file(chunks: Iterable[Chunk], **same: int) -> bytes:
    """``chunks`` of at most 476 bytes as a UF2 file."""
    given = list(chunks)
    return b"".join(block(*chunk, index, len(given), **same) for index, chunk in enumerate(given))
