"""``search.jsonl``: what a search did, one JSON object a line, on disk before anything is built on it.

Lines are only ever appended. A crash can tear the last one; it is then ignored when reading, and cut off before
anything is appended. Only one search writes a journal at a time.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from toolchain.errors import InputError
from toolchain.files import lock

MAX_JOURNAL_BYTES = 1 << 30
"""Largest journal that is read; the longest lines, scores of all cells of a position, have some 300 KB."""

Entry = dict[str, Any]


class Journal:
    """Appends entries to ``path``; with None it writes nothing, for searches that leave no trace.

    Raises ``InputError`` if the file cannot be opened or written, or if another search is writing it.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = path.open("ab+")
                lock(
                    self._stream, f"another search is writing {path}; wait for it, or give --out a new folder"
                )
                _cut_torn_line(self._stream)
            except InputError:
                self.close()
                raise
            except OSError as error:
                raise InputError(f"cannot write {path}: {error.strerror or error}") from error

    def write(self, entry: Entry) -> None:
        """Append one line; it, and all lines before it, are on disk when this returns."""
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(entry, allow_nan=False).encode() + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file and let others write it."""
        if self._stream is not None:
            # What was written is on disk; a line that could not be must not hide why.
            with suppress(OSError):
                self._stream.close()
            self._stream = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_journal(path: Path) -> list[Entry]:
    """All whole entries of a journal; raises ``InputError`` naming the line if one that is not the last is broken."""
    try:
        if path.stat().st_size > MAX_JOURNAL_BYTES:
            raise InputError(f"{path} is larger than {MAX_JOURNAL_BYTES:,} bytes; it is no search journal")
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    entries: list[Entry] = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number} is not JSON: {error}; start a new search") from error
        if not isinstance(entry, dict):
            raise InputError(f"{path}, line {number} is not a JSON object; start a new search")
        entries.append(entry)
    return entries


def _cut_torn_line(stream: BinaryIO) -> None:
    end = stream.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        stream.seek(start)
        newline = stream.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    stream.truncate(end)
    stream.seek(end)
