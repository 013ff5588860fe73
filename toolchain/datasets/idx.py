"""IDX, the format of MNIST, Fashion-MNIST, KMNIST and their kin: a folder with

    train-images-idx3-ubyte   train-labels-idx1-ubyte
    t10k-images-idx3-ubyte    t10k-labels-idx1-ubyte     (the test set; without it 20 % is set aside)

each as it is or with ``.gz``. A file is a big-endian header, 0x0803 or 0x0801 and one 32-bit length per axis,
and then its bytes (described on the MNIST page, yann.lecun.com/exdb/mnist).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from toolchain.datasets.limits import check_memory
from toolchain.datasets.source import ArrayImages, Part, Source, Split, check_image_array
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Pixels

_STEMS: dict[Split, str] = {"train": "train", "test": "t10k"}
_UNSIGNED_BYTE = 0x08
# The most that deflate can pack: a stored header that claims more than this cannot be true.
_MAX_DEFLATE = 1032


def recognises(path: Path) -> bool:
    """Whether a folder holds IDX training images."""
    return path.is_dir() and _find(path, "train", "images", 3) is not None


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The arrays of an IDX folder; classes are named by their numbers."""
    parts: dict[Split, Part] = {}
    for split, stem in _STEMS.items():
        images, labels = _find(path, stem, "images", 3), _find(path, stem, "labels", 1)
        if images is None and labels is None:
            continue
        if images is None or labels is None:
            raise InputError(f"{path} has only one of {stem}-images-idx3-ubyte and {stem}-labels-idx1-ubyte")
        pixels, targets = _read(images, 3), _read(labels, 1)
        if len(pixels) != len(targets):
            raise InputError(
                f"{images} holds {len(pixels):,} images but {labels.name} {len(targets):,} labels"
            )
        parts[split] = Part(ArrayImages(str(images), pixels), targets.astype(np.int64))
    n_classes = 1 + max(int(part.targets.max()) for part in parts.values())
    yield Source(path.resolve().name, tuple(str(label) for label in range(n_classes)), parts)


def _find(folder: Path, stem: str, kind: str, axes: int) -> Path | None:
    # Unpackers that hide known extensions have left a dot in place of the last hyphen but one.
    for separator in "-.":
        for suffix in ("", ".gz"):
            path = folder / f"{stem}-{kind}{separator}idx{axes}-ubyte{suffix}"
            if path.is_file():
                return path
    return None


def _read(path: Path, axes: int) -> Pixels:
    """One array of bytes; its header is held against the file's size before anything is allocated."""
    size = path.stat().st_size
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _array(path, raw, axes, most=size)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _array(path, stream, axes, most=size * _MAX_DEFLATE)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {error}; it may be cut short, fetch it again") from error


def _array(path: Path, stream: IO[bytes] | gzip.GzipFile, axes: int, most: int) -> Pixels:
    header = stream.read(4 + 4 * axes)
    magic = bytes((0, 0, _UNSIGNED_BYTE, axes))
    if len(header) < 4 + 4 * axes or header[:4] != magic:
        raise InputError(
            f"{path} is not an IDX file of {axes} axes of bytes (its first bytes are {header[:4].hex()})"
        )
    shape = struct.unpack(f">{axes}I", header[4:])
    if min(shape) < 1:
        raise InputError(f"{path} holds nothing: its header says {list(shape)}")
    if len(header) + prod(shape) > most:
        raise InputError(f"{path} is too short for the {list(shape)} that its header says; fetch it again")
    if axes == 3:
        check_image_array(str(path), shape)
    else:
        check_memory(prod(shape), str(path), "keep fewer images")
    data = stream.read(prod(shape))
    if len(data) != prod(shape) or stream.read(1):
        kind = "shorter" if len(data) != prod(shape) else "longer"
        raise InputError(f"{path} is {kind} than the {list(shape)} that its header says; fetch it again")
    return np.frombuffer(data, np.uint8).reshape(shape)
