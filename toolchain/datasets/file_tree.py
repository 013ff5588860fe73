"""One view of a folder and of a zip archive: which files there are, and their bytes. Nothing is unpacked."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.datasets.archives import entry_parts, is_archive, open_archive, read_entry
from toolchain.datasets.limits import MAX_FILE_BYTES, MAX_FILES
from toolchain.errors import InputError
from toolchain.files import read_bytes

Parts = tuple[str, ...]

MAX_DEPTH = 32


@dataclass(frozen=True)
class FileTree:
    """Files and folders below a root, as the names along their paths, sorted; hidden ones are left out."""

    root: Path
    files: tuple[Parts, ...]
    folders: tuple[Parts, ...]
    read: Callable[[Parts], bytes]
    """The content of one file; may be called by several threads; raises ``InputError``."""

    def describe(self, parts: Parts) -> str:
        """A path as messages show it."""
        return "/".join((str(self.root), *parts))


@contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """The tree of a folder or zip archive; raises ``InputError`` if it is too large or leads elsewhere."""
    if is_archive(path):
        with open_archive(path) as archive:
            yield _archive_tree(path, archive)
    else:
        yield _folder_tree(path)


def _archive_tree(path: Path, archive: zipfile.ZipFile) -> FileTree:
    entries: dict[Parts, zipfile.ZipInfo] = {}
    folders: set[Parts] = set()
    for entry in archive.infolist():
        parts = entry_parts(entry)
        if _hidden(parts) or not parts:
            continue
        _check_depth(path, parts)
        folders.update(parts[:depth] for depth in range(1, len(parts)))
        if entry.is_dir():
            folders.add(parts)
            continue
        if parts in entries:
            raise InputError(f"{path} holds {'/'.join(parts)} twice; make the archive again")
        entries[parts] = entry

    def read(parts: Parts) -> bytes:
        entry = entries[parts]
        if entry.file_size > MAX_FILE_BYTES:
            raise InputError(
                f"{path}: {entry.filename} has {entry.file_size:,} bytes; at most {MAX_FILE_BYTES:,} are read"
            )
        return read_entry(archive, entry)

    return FileTree(path, tuple(sorted(entries)), tuple(sorted(folders)), read)


def _folder_tree(root: Path) -> FileTree:
    files: list[Parts] = []
    folders: list[Parts] = []
    links: set[Parts] = set()
    pending: list[Parts] = [()]
    while pending:
        folder = pending.pop()
        for entry in _scan(root.joinpath(*folder)):
            parts = (*folder, entry.name)
            if _hidden((entry.name,)):
                continue
            if entry.is_symlink():
                links.add(parts)
                # Not the entry's own is_dir, which raises on a loop of links.
                if os.path.isdir(entry):
                    raise InputError(
                        f"{entry.path} is a link to a folder; put the folder itself in its place"
                    )
            if entry.is_dir(follow_symlinks=False):
                _check_depth(root, parts)
                folders.append(parts)
                pending.append(parts)
            else:
                files.append(parts)
            if len(files) + len(folders) > MAX_FILES:
                raise InputError(f"{root} holds more than {MAX_FILES:,} files; give a smaller data set")

    def read(parts: Parts) -> bytes:
        if parts in links:
            _check_link(root.joinpath(*parts), root)
        return read_bytes(root.joinpath(*parts), MAX_FILE_BYTES)

    return FileTree(root, tuple(sorted(files)), tuple(sorted(folders)), read)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(f"cannot list the folder {folder}: {error.strerror or error}") from error


def _check_link(link: Path, root: Path) -> None:
    """An image may be a link to a file of the same data set, not to anything else on the machine."""
    try:
        inside = link.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop, before Python 3.13.
        raise InputError(f"cannot follow the link {link}: {error}") from error
    if not inside:
        raise InputError(f"{link} is a link out of the data set; put the file itself in its place")


def _hidden(parts: Parts) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _check_depth(root: Path, parts: Parts) -> None:
    if len(parts) > MAX_DEPTH:
        raise InputError(
            f"{root} has folders more than {MAX_DEPTH} deep; give a data set of one folder per class"
        )
