"""Opening untrusted zip archives: all that the directory says is checked before anything is unpacked."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from toolchain.datasets.limits import (
    COMPRESSION_SLACK_BYTES,
    MAX_COMPRESSION,
    MAX_FILES,
    MAX_UNPACKED_BYTES,
)
from toolchain.errors import InputError

# The other methods' decompressors have no output limit in zipfile: one read may fill the memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, by its content."""
    return path.is_file() and zipfile.is_zipfile(path)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose entries are few enough, small enough together, plain files and stay inside it.

    Raises ``InputError`` naming the offending entry.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"cannot read the archive {path}: {error}") from error
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_FILES:
            raise InputError(f"{path} has {len(entries):,} entries; at most {MAX_FILES:,} are read")
        for entry in entries:
            _check_entry(path, entry)
        unpacked = sum(entry.file_size for entry in entries)
        most = min(MAX_UNPACKED_BYTES, MAX_COMPRESSION * path.stat().st_size + COMPRESSION_SLACK_BYTES)
        if unpacked > most:
            raise InputError(
                f"{path} claims to unpack to {unpacked:,} bytes, more than the {most:,} that an archive of "
                "its size may hold; unpack it yourself if you trust it"
            )
        yield archive


@contextmanager
def open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Stream one entry; damage found while reading raises ``InputError`` naming it."""
    try:
        with archive.open(entry) as stream:
            yield stream
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{archive.filename}: {entry.filename} is damaged: {error}") from error


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The whole of one entry, never more than its declared size."""
    with open_entry(archive, entry) as stream:
        # Without a size, zipfile inflates up to 2 GiB before it cuts to what the directory declares.
        data = stream.read(entry.file_size)
    if len(data) != entry.file_size:
        raise InputError(f"{archive.filename}: {entry.filename} is cut short; make the archive again")
    return data


def entry_parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The names along an entry's path; some archivers write backslashes."""
    return tuple(part for part in entry.filename.replace("\\", "/").split("/") if part not in ("", "."))


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise InputError(f"{path}: the entry {entry.filename!r:.80} leads out of the archive; it is not read")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InputError(
            f"{path}: the entry {entry.filename!r:.80} is a symbolic link; archive the file itself"
        )
    if entry.flag_bits & 0x1:
        raise InputError(f"{path} is encrypted; unpack it and give the folder")
    if entry.compress_type not in _METHODS:
        raise InputError(
            f"{path}: {entry.filename!r:.80} is packed by a method other than deflate; "
            "make the archive again or give the unpacked folder"
        )
