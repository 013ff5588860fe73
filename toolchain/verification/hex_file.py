"""A strict reader of Intel HEX files: what a programmer would write, and where.

Format: Intel's Hexadecimal Object File Format Specification, revision A (1988). Checksums, lengths and addresses
are checked, every byte may be given once, and the last record says that it is the last.
"""

from __future__ import annotations

from binascii import unhexlify
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.verification.elf import Image
from toolchain.verification.loaded_ranges import Unloadable, image_of

MAX_HEX_BYTES = 24 * 1024 * 1024
"""Largest file that is read: 8 MiB of flash in records of 16 bytes."""

MAX_RECORDS = 600_000

_DATA, _END, _SEGMENT_BASE, _SEGMENT_START, _LINEAR_BASE, _LINEAR_START = range(6)
_LENGTHS = {_END: 0, _SEGMENT_BASE: 2, _SEGMENT_START: 4, _LINEAR_BASE: 2, _LINEAR_START: 4}
_MAX_RECORD_CHARACTERS = 1 + 2 * (5 + 255)
_WINDOW_BYTES = 1 << 16


def read_hex(path: Path) -> Image:
    """Read and check ``path``; the image has segments only. Raises ``InputError`` naming the line that is broken."""
    content = read_bytes(path, MAX_HEX_BYTES)
    try:
        return image_of(path, _chunks(content))
    except (_Broken, Unloadable) as error:
        raise InputError(f"{path} is not an Intel HEX file: {error}; write it again") from None


class _Broken(Exception):
    """What is wrong with the file, as the end of a sentence."""


def _chunks(content: bytes) -> list[tuple[int, bytes]]:
    """(address, bytes) of every data record."""
    found = []
    base, ended = 0, False
    lines = content.split(b"\n", MAX_RECORDS)
    if len(lines) > MAX_RECORDS:
        raise _Broken(f"it has more than {MAX_RECORDS:,} lines")
    for number, line in enumerate(lines, 1):
        line = line.rstrip(b" \t\r")
        if not line:
            continue
        if ended:
            raise _Broken(f"line {number} comes after the record that ends it")
        kind, offset, data = _record(line, number)
        if kind == _DATA:
            # A record that runs over its window's end would go on at its beginning, which no tool means.
            if offset + len(data) > _WINDOW_BYTES or base + offset + len(data) > 1 << 32:
                raise _Broken(f"line {number} runs over the end of its 64 KiB window")
            if data:
                found.append((base + offset, data))
        elif kind == _SEGMENT_BASE:
            base = int.from_bytes(data, "big") << 4
        elif kind == _LINEAR_BASE:
            base = int.from_bytes(data, "big") << 16
        ended = kind == _END
    if not ended:
        raise _Broken("the record that ends it is missing, so it is truncated")
    return found


def _record(line: bytes, number: int) -> tuple[int, int, bytes]:
    """Kind, offset and data of one line."""
    if line[:1] != b":" or len(line) > _MAX_RECORD_CHARACTERS:
        raise _Broken(f"line {number} is no record")
    try:
        record = unhexlify(line[1:])
    except ValueError:
        raise _Broken(f"line {number} is no record") from None
    if len(record) < 5 or len(record) != record[0] + 5:
        raise _Broken(f"line {number} is not as long as it says")
    if sum(record) & 0xFF:
        raise _Broken(f"line {number} has a wrong checksum")
    kind, data = record[3], record[4:-1]
    if kind != _DATA and _LENGTHS.get(kind) != len(data):
        raise _Broken(f"line {number} has a kind or a length that no record has")
    return kind, int.from_bytes(record[1:3], "big"), data
