"""Reading members of an untrusted tar archive, plain or gzipped, into memory; nothing is written to disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from toolchain.errors import InputError

Parts = tuple[str, ...]

_GZIP = b"\x1f\x8b"
_BLOCK_BYTES = 512
_MAGIC = slice(257, 262)
_MAX_MEMBERS = 64
_MAX_READ_BYTES = 1024**2
"""Members are read in pieces of this; a header that asks for more at once is no name of a file."""


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive of any kind since POSIX.1-1988, plain or gzipped, by its content."""
    if not path.is_file():
        return False
    try:
        with _opened(path) as stream:
            return stream.read(_BLOCK_BYTES)[_MAGIC] == b"ustar"
    except (OSError, EOFError, zlib.error):
        return False


def read_members(path: Path, wanted: Callable[[Parts, int], bool], *, most_bytes: int) -> dict[Parts, bytes]:
    """The content of the plain files that ``wanted(names along the path, size in bytes)`` says yes to.

    The archive is read once, to its end, so that gzip's checksum covers what is returned. ``wanted`` may
    raise. Raises ``InputError`` if the archive is damaged, unpacks to more than ``most_bytes``, has more
    members than a data set of few files has, or one that is a link, a device or leads out of it.
    """
    members: dict[Parts, bytes] = {}
    try:
        with _opened(path) as stream:
            bounded = _Bounded(path, stream, most_bytes)
            with tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r:") as archive:
                for number, member in enumerate(archive):
                    if number == _MAX_MEMBERS:
                        raise InputError(f"{path} has more than {_MAX_MEMBERS} members; unpack it yourself")
                    parts = _checked(path, member, most_bytes)
                    if member.isdir() or not wanted(parts, member.size):
                        continue
                    if parts in members:
                        raise InputError(f"{path} holds {'/'.join(parts)} twice; fetch it again")
                    members[parts] = _content(path, archive, member)
            while bounded.read(_MAX_READ_BYTES):
                pass
    except InputError:
        raise
    # A hostile header reaches tarfile's parser, which raises whatever its fields lead to.
    except Exception as error:
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"the archive {path} is damaged or cut short ({detail}); fetch it again") from error
    return members


class _Bounded:
    """A stream that refuses to be read past a limit: compressed bombs, and headers that claim gigabytes."""

    def __init__(self, path: Path, stream: IO[bytes], most_bytes: int) -> None:
        self._path, self._stream, self._most_bytes = path, stream, most_bytes

    def read(self, n_bytes: int) -> bytes:
        if not 0 <= n_bytes <= _MAX_READ_BYTES:
            raise InputError(f"{self._path} has a header that claims {n_bytes:,} bytes; fetch it again")
        data = self._stream.read(n_bytes)
        self._check(self.tell())
        return data

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self._most_bytes:
            raise InputError(
                f"{self._path} unpacks to more than the {self._most_bytes:,} bytes that its data set may have; "
                "fetch it again"
            )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, unpacked on the fly if it is gzipped."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as stream:
            yield cast(IO[bytes], stream)


def _checked(path: Path, member: tarfile.TarInfo, most_bytes: int) -> Parts:
    """The names along a member's path, if it is a file or folder inside the archive."""
    name = member.name.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise InputError(f"{path}: the member {member.name!r:.80} leads out of the archive; it is not read")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or _is_sparse(member):
        raise InputError(
            f"{path}: the member {member.name!r:.80} is a link or another special file; it is not read"
        )
    if not 0 <= member.size <= most_bytes:
        raise InputError(
            f"{path}: the member {member.name!r:.80} claims {member.size:,} bytes; fetch it again"
        )
    return tuple(part for part in name.split("/") if part not in ("", "."))


def _is_sparse(member: Any) -> bool:
    return bool(member.issparse())


def _content(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    pieces = bytearray()
    while stream is not None and (piece := stream.read(min(_MAX_READ_BYTES, member.size - len(pieces)))):
        pieces += piece
    if len(pieces) != member.size:
        raise InputError(f"{path}: {member.name} is cut short; fetch it again")
    return bytes(pieces)
