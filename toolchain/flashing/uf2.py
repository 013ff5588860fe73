"""UF2, the file format that boards take as a USB drive (github.com/microsoft/uf2, "File format").

A file is blocks of 512 bytes, each of which says on its own where its 256 bytes go and of which family the board is.
"""

from __future__ import annotations

import struct

PAYLOAD_BYTES = 256
"""Bytes of flash in a block; the format allows 476, boot ROMs take a page."""

FAMILY_PRESENT = 0x2000
MAGIC = (0x0A324655, 0x9E5D5157)
END_MAGIC = 0x0AB16F30

_BLOCK = struct.Struct("<8I476sI")


def blocks(data: bytes, address: int, family: int) -> bytes:
    """The UF2 file of ``data`` for ``address`` on; the last page is filled up with erased flash (0xFF)."""
    pages = [data[start : start + PAYLOAD_BYTES] for start in range(0, len(data), PAYLOAD_BYTES)]
    return b"".join(
        _BLOCK.pack(
            *MAGIC,
            FAMILY_PRESENT,
            address + number * PAYLOAD_BYTES,
            PAYLOAD_BYTES,
            number,
            len(pages),
            family,
            page.ljust(PAYLOAD_BYTES, b"\xff"),
            END_MAGIC,
        )
        for number, page in enumerate(pages)
    )
