"""The bytes of a linked image as they lie in flash."""

from __future__ import annotations

import io
from collections.abc import Sequence

from toolchain.errors import InputError, ToolMissingError

MAX_IMAGE_BYTES = 64 * 1024 * 1024
"""Longest span from an image's first byte to its last; what is further apart is not one flash image."""


def flat_image(elf: bytes) -> bytes:
    """The loaded bytes of ``elf`` from the lowest address to the highest, gaps filled with erased flash (0xFF)."""
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError as error:
        raise ToolMissingError(
            "reading firmware needs pyelftools; install it with `pip install 'spikenas-deploy[mcu]'`"
        ) from error
    loaded = [
        (segment["p_paddr"], segment.data())
        for segment in ELFFile(io.BytesIO(elf)).iter_segments("PT_LOAD")
        if segment["p_filesz"]
    ]
    return flat(loaded)[1]


def flat(loaded: Sequence[tuple[int, bytes]]) -> tuple[int, bytes]:
    """The lowest address of ``loaded`` (address and bytes of each part), and all of it, gaps filled with 0xFF.

    Raises ``InputError`` if the parts lie too far apart.
    """
    first = min(address for address, _ in loaded)
    size = max(address + len(data) for address, data in loaded) - first
    if size > MAX_IMAGE_BYTES:
        raise InputError(
            f"the image spans {size} bytes, too far apart for one flash image; put code and weights closer together"
        )
    image = bytearray(b"\xff" * size)
    for address, data in loaded:
        image[address - first : address - first + len(data)] = data
    return first, bytes(image)
