"""CIFAR-10 and CIFAR-100 in their binary version, as downloaded or unpacked.

``cifar-10-binary.tar.gz`` and ``cifar-100-binary.tar.gz`` (www.cs.toronto.edu/~kriz/cifar.html), the ``.tar``
in them, or their folder:

    cifar-10-batches-bin/   data_batch_1.bin ... data_batch_5.bin   test_batch.bin   batches.meta.txt
    cifar-100-binary/       train.bin   test.bin   fine_label_names.txt   coarse_label_names.txt

A record is its label (CIFAR-100: the coarse, then the fine one, which is the class) in a byte each, then the
1,024 bytes of the red plane, the green and the blue one of 32x32 pixels. The Python version is a pickle and
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.source import ArrayImages, Part, Source, Split
from toolchain.datasets.tar_archives import Parts, is_tar, read_members
from toolchain.errors import InputError
from toolchain.files import read_bytes

_SIDE = 32
_PIXEL_BYTES = 3 * _SIDE * _SIDE
_MOST_RECORDS = 60_000
_MAX_TEXT_BYTES = 64 * 1024
_MAX_UNPACKED_BYTES = 256 * 1024**2
"""Of an archive; the two there are unpack to 176 MiB."""


@dataclass(frozen=True)
class _Kind:
    name: str
    folder: str
    python_folder: str
    python_files: tuple[str, str]
    splits: Mapping[Split, tuple[str, ...]]
    names_file: str
    label_counts: tuple[int, ...]
    """How many values each label byte of a record may have; the last is the class."""

    @property
    def record_bytes(self) -> int:
        return len(self.label_counts) + _PIXEL_BYTES

    @property
    def files(self) -> frozenset[str]:
        return frozenset((self.names_file, *(name for names in self.splits.values() for name in names)))

    @property
    def archive(self) -> str:
        return f"{self.name}-binary.tar.gz"

    def most_bytes(self, file: str) -> int:
        return _MAX_TEXT_BYTES if file == self.names_file else _MOST_RECORDS * self.record_bytes


_KINDS = (
    _Kind(
        "cifar-10",
        "cifar-10-batches-bin",
        "cifar-10-batches-py",
        ("data_batch_1", "batches.meta"),
        {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)},
        "batches.meta.txt",
        (10,),
    ),
    _Kind(
        "cifar-100",
        "cifar-100-binary",
        "cifar-100-python",
        ("train", "meta"),
        {"train": ("train.bin",), "test": ("test.bin",)},
        "fine_label_names.txt",
        (20, 100),
    ),
)


def recognises(path: Path) -> bool:
    """Whether it is a tar archive (no other format here is one) or a folder of CIFAR's files."""
    return is_tar(path) or path.is_dir() and bool(_folders(path))


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The images of both of the data set's own parts, in memory; classes by their names."""
    kind, read = _opened_folder(path) if path.is_dir() else _opened_archive(path)
    labels = _labels(path, kind, read(kind.names_file))
    parts = {split: _part(path, kind, files, read) for split, files in kind.splits.items()}
    yield Source(kind.name, labels, parts)


def _folders(path: Path) -> list[tuple[_Kind, Path]]:
    """The unpacked data sets that a folder is or holds."""
    return [
        (kind, folder)
        for kind in _KINDS
        for folder in (path, path / kind.folder, path / kind.python_folder)
        if _is_binary(kind, folder) or _is_python(kind, folder)
    ]


def _is_binary(kind: _Kind, folder: Path) -> bool:
    return any((folder / file).is_file() for files in kind.splits.values() for file in files)


def _is_python(kind: _Kind, folder: Path) -> bool:
    return all((folder / file).is_file() for file in kind.python_files)


def _opened_folder(path: Path) -> tuple[_Kind, Callable[[str], bytes]]:
    found = _folders(path)
    binary = [(kind, folder) for kind, folder in found if _is_binary(kind, folder)]
    if not binary:
        raise _pickled(found[0][1], found[0][0])
    if len(binary) > 1:
        names = " and ".join(str(folder) for _, folder in binary)
        raise InputError(f"{path} holds several data sets, {names}; give one of them")
    ((kind, folder),) = binary

    def read(file: str) -> bytes:
        if not (folder / file).is_file():
            raise _missing(folder, kind, file)
        return read_bytes(folder / file, kind.most_bytes(file))

    return kind, read


def _opened_archive(path: Path) -> tuple[_Kind, Callable[[str], bytes]]:
    def wanted(parts: Parts, size_bytes: int) -> bool:
        for kind in _KINDS:
            if kind.python_folder in parts:
                raise _pickled(path, kind)
            if parts[:-1] == (kind.folder,) and parts[-1] in kind.files:
                if size_bytes > kind.most_bytes(parts[-1]):
                    raise InputError(f"{path}: {parts[-1]} has {size_bytes:,} bytes, more than {kind.name}'s")
                return True
        return False

    members = read_members(path, wanted, most_bytes=_MAX_UNPACKED_BYTES)
    kinds = [kind for kind in _KINDS if any(parts[0] == kind.folder for parts in members)]
    if len(kinds) != 1:
        archives = " or ".join(kind.archive for kind in _KINDS)
        raise InputError(f"{path} is a tar archive but not {archives}; unpack it and give the folder")
    (kind,) = kinds

    def read(file: str) -> bytes:
        if (kind.folder, file) not in members:
            raise _missing(path, kind, file)
        # Not kept: the arrays made from it are as large.
        return members.pop((kind.folder, file))

    return kind, read


def _part(path: Path, kind: _Kind, files: tuple[str, ...], read: Callable[[str], bytes]) -> Part:
    batches = [_records(f"{path}: {file}", kind, read(file)) for file in files]
    # One copy: the planes of a record are contiguous, so every image is [3, 32, 32] as it lies.
    pixels = np.concatenate([batch[:, len(kind.label_counts) :] for batch in batches])
    targets = np.concatenate([batch[:, len(kind.label_counts) - 1] for batch in batches]).astype(np.int64)
    name = f"{path}: {files[0]}"
    return Part(ArrayImages(name, pixels.reshape(-1, 3, _SIDE, _SIDE), planes_are="rgb"), targets)


def _records(name: str, kind: _Kind, data: bytes) -> NDArray[np.uint8]:
    """The bytes of one file, uint8 [records, bytes of a record]."""
    if not data or len(data) % kind.record_bytes:
        raise InputError(
            f"{name} has {len(data):,} bytes, not a whole number of {kind.name}'s records of "
            f"{kind.record_bytes:,}; fetch {kind.archive} again"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, kind.record_bytes)
    for column, count in enumerate(kind.label_counts):
        if (highest := int(records[:, column].max())) >= count:
            raise InputError(
                f"{name} has the label {highest}, but {kind.name} has {count}; fetch {kind.archive} again"
            )
    return records


def _labels(path: Path, kind: _Kind, data: bytes) -> tuple[str, ...]:
    try:
        names = tuple(line.strip() for line in data.decode("ascii").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: {kind.names_file} is not plain text; fetch {kind.archive} again"
        ) from error
    if len(names) != kind.label_counts[-1]:
        raise InputError(
            f"{path}: {kind.names_file} names {len(names):,} classes, not {kind.label_counts[-1]}; "
            f"fetch {kind.archive} again"
        )
    return names


def _missing(path: Path, kind: _Kind, file: str) -> InputError:
    return InputError(f"{path} lacks {file} of {kind.name}; fetch {kind.archive} again")


def _pickled(path: Path, kind: _Kind) -> InputError:
    return InputError(
        f"{path} is the Python version of {kind.name}, a pickle, which is never unpickled; "
        f"download the binary version, {kind.archive}"
    )
