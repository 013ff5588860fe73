"""Reading untrusted files with a size limit, and writing files so that a crash never leaves half of one."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from toolchain.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Largest JSON file that is parsed."""

MAX_TOML_BYTES = 1024 * 1024
"""Largest TOML file that is parsed, which takes longer than JSON; a profile or a run's settings are far smaller."""


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write ``data`` to ``path`` through a synced temporary file in the same folder and a rename.

    A reader sees the old content or the new, never a mixture. Raises ``InputError`` if the folder
    cannot be written or the disk is full; the previous content is then untouched.
    """
    payload = data.encode() if isinstance(data, str) else data
    handle = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(payload)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; what we write is as readable as the user's umask says.
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        if handle is not None:
            Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(
                f"cannot write {path}: {error.strerror or error}; nothing was changed"
            ) from error
        raise


def write_json(path: Path, document: Any) -> None:
    """Write ``document`` as indented JSON, atomically."""
    write_atomic(path, json.dumps(document, indent=2) + "\n")


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed while they wrote ``path`` left; nobody may be writing it now."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        left.unlink(missing_ok=True)


def lock(stream: BinaryIO, sentence: str) -> None:
    """Hold ``stream``'s file until it is closed, which the system also does when the process dies.

    Raises ``InputError`` with ``sentence`` if another process holds it. On Windows nothing is held.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(sentence) from error


@contextmanager
def locked(path: Path, sentence: str) -> Iterator[None]:
    """Hold ``path``, a file that is made for this and stays, inside; raises ``InputError`` as ``lock`` does, or if
    the folder cannot be written."""
    try:
        stream = path.open("ab")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    with stream:
        try:
            lock(stream, sentence)
        except OSError as error:
            raise InputError(f"cannot lock {path}: {error.strerror or error}") from error
        yield


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The content of ``path``; raises ``InputError`` if it is missing, unreadable or above ``max_bytes``."""
    try:
        if not path.is_file():
            raise InputError(f"{path} does not exist or is not a file; check the path")
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(f"{path} has {size:,} bytes, more than the {max_bytes:,} that are read here")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def read_json(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> Any:
    """Parse a JSON file; raises ``InputError`` naming the line if it is broken."""
    try:
        return json.loads(read_bytes(path, max_bytes))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; raises ``InputError`` naming the line if it is broken."""
    return parse_toml(read_bytes(path, MAX_TOML_BYTES), path)


def parse_toml(data: bytes, path: Path) -> dict[str, Any]:
    """Parse the content of the TOML file ``path``; raises ``InputError`` naming the line if it is broken."""
    try:
        document: dict[str, Any] = tomllib.loads(data.decode())
        return document
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
