"""An application of ESP-IDF for tests: an ELF for Xtensa with a network in it, and the image that is made of it.

Nothing here has an Xtensa compiler, so both are written field by field: the ELF as the System V ABI has it, the image
as ESP-IDF's "App Image Format" does (esptool 5.6 makes the same of the same ELF).
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

RODATA, DRAM = 0x3C00_0020, 0x3FC8_8000
INFO_BYTES = 60
_DESCRIPTOR = struct.pack("<I", 0xABCD5432).ljust(256, b"\0")
_XTENSA = 94


def info(graph_sha256: str) -> bytes:
    """``net_info`` of a network with this hash."""
    return (
        b"1.0".ljust(16, b"\0") + b"gcc".ljust(8, b"\0") + bytes.fromhex(graph_sha256) + struct.pack("<I", 2)
    )


def elf(path: Path, graph_sha256: str, *, arena: int = DRAM + 0x100, dram_bytes: int = 4096) -> Path:
    """Write an ELF whose read-only data are the descriptor and ``net_info``; ``arena`` is where its buffers lie."""
    data = _DESCRIPTOR + info(graph_sha256) + bytes(100)
    names = b"\0.flash.rodata\0.dram0.bss\0.symtab\0.strtab\0"
    strings = b"\0net_info\0net_arena\0net_infer\0"
    symbols = bytes(16)
    for name, value, size in (("net_info", RODATA + 256, INFO_BYTES), ("net_arena", arena, 64)):
        symbols += struct.pack("<IIIBBH", strings.index(name.encode()), value, size, 0x11, 0, 1)
    offsets, body, at = [], b"", 52 + 2 * 32
    for part in (data, symbols, strings, names):
        offsets.append(at + len(body))
        body += part.ljust(-(-len(part) // 4) * 4, b"\0")
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        b"\x7fELF\x01\x01\x01",
        2,
        _XTENSA,
        1,
        RODATA,
        52,
        at + len(body),
        0,
        52,
        32,
        2,
        40,
        6,
        5,
    )
    segments = struct.pack("<8I", 1, offsets[0], RODATA, RODATA, len(data), len(data), 4, 4)
    segments += struct.pack("<8I", 1, offsets[0] + len(data), DRAM, DRAM, 0, dram_bytes, 6, 4)
    sections = bytes(40)
    for name, kind, flags, address, offset, size, link, entry in (
        (b".flash.rodata", 1, 2, RODATA, offsets[0], len(data), 0, 0),
        (b".dram0.bss", 8, 3, DRAM, offsets[0], dram_bytes, 0, 0),
        (b".symtab", 2, 0, 0, offsets[1], len(symbols), 4, 16),
        (b".strtab", 3, 0, 0, offsets[2], len(strings), 0, 0),
        (b".strtab", 3, 0, 0, offsets[3], len(names), 0, 0),
    ):
        sections += struct.pack(
            "<10I", names.index(name), kind, flags, address, offset, size, link, 1, 4, entry
        )
    path.write_bytes(header + segments + body + sections)
    return path


def application(path: Path, source: Path, *, chip: int = 9, padding: int = 0) -> Path:
    """Write the image of an ELF of ``elf``, with the ELF's hash in the descriptor, as esptool's elf2image does."""
    content = source.read_bytes()
    start = content.index(_DESCRIPTOR[:4])
    data = bytearray(content[start : start + 256 + INFO_BYTES + 100])
    data[144:176] = hashlib.sha256(content).digest()
    data += bytes(padding + -len(data) % 4)
    header = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 1, 2, 0x20, RODATA, 0xEE, chip, 0, 0, 99, 1)
    image = header + struct.pack("<II", RODATA, len(data)) + bytes(data)
    checksum = 0xEF
    for byte in data:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    path.write_bytes(image + hashlib.sha256(image).digest())
    return path
