"""What a file of addresses and bytes loads, as an image: neighbouring records joined, none written twice."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from toolchain.verification.elf import Image, Segment

MAX_RANGES = 4096
"""Most pieces that an image may be in: firmware has a few."""

_BEYOND = 1 << 33


class Unloadable(Exception):
    """What is wrong with the records, as the end of a sentence."""


def image_of(path: Path, chunks: Iterable[tuple[int, bytes]]) -> Image:
    """The image that ``chunks`` of (address, bytes) load, in segments only; raises ``Unloadable``."""
    segments: list[Segment] = []
    start, end, parts = 0, 0, list[bytes]()
    for address, data in chain(sorted(chunks, key=lambda chunk: chunk[0]), [(_BEYOND, b"")]):
        if parts and address < end:
            raise Unloadable(f"it gives the bytes at 0x{address:08x} twice")
        if parts and address > end:
            joined = b"".join(parts)
            segments.append(Segment(start, start, len(joined), joined))
            if len(segments) > MAX_RANGES:
                raise Unloadable(f"it is in more than {MAX_RANGES:,} pieces")
            parts = []
        if not parts:
            start = address
        parts.append(data)
        end = address + len(data)
    if not segments:
        raise Unloadable("it loads nothing")
    return Image(path, tuple(segments), (), {})
