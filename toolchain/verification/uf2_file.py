"""A strict reader of UF2 files: what a bootloader would write, and where.

Format: Microsoft's UF2 specification (blocks of 512 bytes); families of the RP2350: its data sheet, section 5.5.
"""

from __future__ import annotations

import struct
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.verification.elf import Image
from toolchain.verification.loaded_ranges import Unloadable, image_of

MAX_UF2_BYTES = 64 * 1024 * 1024
"""Largest file that is read: 32 MiB of flash, at the usual 256 bytes a block."""

BLOCK_BYTES = 512
MAX_PAYLOAD_BYTES = 476

_BLOCK = struct.Struct("<8I476sI")
_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_NOT_MAIN_FLASH, _FILE_CONTAINER, _FAMILY = 0x1, 0x1000, 0x2000
_ABSOLUTE_FAMILY, _ERRATUM_ADDRESS = 0xE48BFF57, 0x10FF_FF00
"""A lone block that linkers put before an RP2350's image against erratum E10; the bootloader does not keep it."""


def read_uf2(path: Path) -> Image:
    """Read and check ``path``; the image has segments only. Raises ``InputError`` naming the block that is broken."""
    content = read_bytes(path, MAX_UF2_BYTES)
    try:
        return image_of(path, _chunks(content))
    except (_Broken, Unloadable) as error:
        raise InputError(f"{path} is not a UF2 file: {error}; write it again") from None


def families(path: Path) -> list[int]:
    """Families of boards that the blocks of ``path`` are for, in order; a file that ``read_uf2`` takes."""
    blocks = _BLOCK.iter_unpack(read_bytes(path, MAX_UF2_BYTES))
    return sorted(
        {
            family
            for _, _, flags, address, _, _, _, family, _, _ in blocks
            if flags & _FAMILY and not _is_erratum(family, address)
        }
    )


def _is_erratum(family: int, address: int) -> bool:
    return family == _ABSOLUTE_FAMILY and address == _ERRATUM_ADDRESS


class _Broken(Exception):
    """What is wrong with the file, as the end of a sentence."""


def _chunks(content: bytes) -> list[tuple[int, bytes]]:
    """(address, bytes) of every block that goes to flash."""
    if not content or len(content) % BLOCK_BYTES:
        raise _Broken(f"its {len(content):,} bytes are not whole blocks of {BLOCK_BYTES}")
    found = []
    # A file may hold one image for each family, each with a count of its own.
    seen: dict[int, set[int]] = {}
    counts: dict[int, int] = {}
    for number, fields in enumerate(_BLOCK.iter_unpack(content)):
        first, second, flags, address, size, index, count, family, data, last = fields
        if (first, second, last) != _MAGIC:
            raise _Broken(f"block {number} does not begin and end as one")
        if not 0 < size <= MAX_PAYLOAD_BYTES or address + size > 1 << 32:
            raise _Broken(f"block {number} claims {size:,} bytes at 0x{address:08x}")
        family = family if flags & _FAMILY else 0
        if _is_erratum(family, address):
            continue
        if index >= count or counts.setdefault(family, count) != count:
            raise _Broken(f"block {number} calls itself {index:,} of {count:,}")
        if index in seen.setdefault(family, set()):
            raise _Broken(f"block {number} comes twice")
        seen[family].add(index)
        if not flags & (_NOT_MAIN_FLASH | _FILE_CONTAINER):
            found.append((address, data[:size]))
    missing = sum(count - len(seen[family]) for family, count in counts.items())
    if missing:
        raise _Broken(f"{missing:,} of its blocks are missing, so it is truncated")
    return found
