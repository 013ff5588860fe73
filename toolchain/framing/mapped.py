"""A file of any size as bytes that are read only where they are looked at, and a budget for looking at them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import InputError

MAX_FILE_BYTES = 2 * 1024**3
"""Largest file that is looked at; protobuf and flatbuffers end there."""

MIN_FILE_BYTES = 8
"""Every format here begins with more."""

MAX_TEXT = 4096
"""Longest name, in bytes, that is read."""

MAX_STEPS = 200_000
"""Most fields, items and parts of texts that are followed in a file: a second or two of work."""

Content = bytes | mmap.mmap


class Damaged(Exception):
    """The framing does not fit the file; the message, where there is one, says how, as a sentence's end."""


class Budget:
    """Counts what is read of one file, so that parts which refer to each other cannot multiply the work."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises ``Damaged`` when nothing is left."""
        self._left -= steps
        if self._left < 0:
            raise Damaged("has more parts than any model that is read here")

    def text(self, content: Content, start: int, end: int) -> str:
        """The text in a range; raises ``Damaged`` if it is longer than ``MAX_TEXT``."""
        if end - start > MAX_TEXT:
            raise Damaged(f"has a name of {end - start:,} bytes")
        self.spend(1 + (end - start) // 16)
        return content[start:end].decode("utf-8", "backslashreplace")


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The content of the file ``path``; raises ``InputError`` if it is no file, or none of a model's size."""
    try:
        size = path.stat().st_size
        # A named pipe would wait for a writer, and a device would never end.
        if not path.is_file():
            raise InputError(f"{path} is not a file; check the path")
        if not MIN_FILE_BYTES <= size <= MAX_FILE_BYTES:
            raise InputError(f"{path} has {size:,} bytes and is no model; export it again")
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def reading(path: Path, format: str) -> Iterator[None]:
    """Turns ``Damaged`` into the one sentence for the user; ``format`` is what it should be, as in "an ONNX"."""
    try:
        yield
    except Damaged as error:
        what = str(error) or f"is not {format} file, or is damaged"
        raise InputError(f"{path} {what}; export it again, or give another file") from None
