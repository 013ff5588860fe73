"""Applications of ESP-IDF: which chip they are for, which ELF they come from, and what lies where.

Format: ESP-IDF, "App Image Format": a header of 24 bytes, then segments of (address, length, data); the first begins
with the application's descriptor, which holds the sha256 of the ELF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError

CHIPS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}
"""esptool's names of chips -> their number in an image (esp_chip_id_t)."""

_HEADER = struct.Struct("<BB2xI4xH10x")
_SEGMENT = struct.Struct("<II")
_MAGIC, _DESCRIPTOR_MAGIC = 0xE9, 0xABCD5432
_MAX_SEGMENTS = 16
_ELF_SHA256 = 144
"""Where the ELF's hash lies in the descriptor (esp_app_desc_t)."""


@dataclass(frozen=True)
class EspImage:
    """An application: number of its chip, where it begins, segments as (address, data), hash of its ELF."""

    chip: int
    entry: int
    segments: tuple[tuple[int, bytes], ...]
    elf_sha256: str

    def read(self, address: int, size_bytes: int) -> bytes:
        """Content at an address as the application runs; empty if no segment holds all of it."""
        for start, data in self.segments:
            if start <= address and address + size_bytes <= start + len(data):
                return data[address - start : address - start + size_bytes]
        return b""


def parse(path: Path, content: bytes) -> EspImage:
    """The application in ``content``, the file ``path``; raises ``InputError`` if it is none."""
    if len(content) < _HEADER.size or content[0] != _MAGIC:
        raise InputError(f"{path} is no application of ESP-IDF; give the .bin that `idf.py build` wrote")
    _, count, entry, chip = _HEADER.unpack_from(content)
    segments, offset = [], _HEADER.size
    for _ in range(count):
        if count > _MAX_SEGMENTS or offset + _SEGMENT.size > len(content):
            raise InputError(f"{path} is damaged: its segments lie outside the file; build it again")
        address, size = _SEGMENT.unpack_from(content, offset)
        offset += _SEGMENT.size
        if offset + size > len(content):
            raise InputError(f"{path} is damaged: its segments lie outside the file; build it again")
        segments.append((address, content[offset : offset + size]))
        offset += size
    first = segments[0][1] if segments else b""
    if len(first) < _ELF_SHA256 + 32 or int.from_bytes(first[:4], "little") != _DESCRIPTOR_MAGIC:
        raise InputError(
            f"{path} has no application descriptor; give the application, not the bootloader or a table"
        )
    return EspImage(chip, entry, tuple(segments), first[_ELF_SHA256 : _ELF_SHA256 + 32].hex())
