"""numpy archives: ``np.savez_compressed("mine.npz", images=..., labels=...)``.

``images`` is uint8 [N, H, W] (grey) or [N, C, H, W] (any planes, kept as they are unless grey or rgb is asked
for); ``labels`` is [N] whole numbers or strings, and the classes are its distinct values in order.
``test_images`` and ``test_labels`` are the test set; without them 20 % is set aside. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.archives import is_archive, open_archive, open_entry
from toolchain.datasets.npy import read_array
from toolchain.datasets.source import ArrayImages, Part, Source, Split, check_image_array
from toolchain.errors import InputError

_PREFIXES: dict[Split, str] = {"train": "", "test": "test_"}


def recognises(path: Path) -> bool:
    """Whether a file is a zip archive of ``.npy`` arrays."""
    if not is_archive(path):
        return False
    with open_archive(path) as archive:
        names = archive.namelist()
    return bool(names) and all(name.endswith(".npy") for name in names)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The arrays of an ``.npz``, read into memory."""
    with open_archive(path) as archive:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        pairs = {}
        for split, prefix in _PREFIXES.items():
            names = (f"{prefix}images", f"{prefix}labels")
            present = [name for name in names if name in entries]
            if len(present) == 2:
                images = _images(path, names[0], _read(archive, path, entries[names[0]]))
                labels = _labels(path, names[1], _read(archive, path, entries[names[1]]), len(images))
                pairs[split] = images, labels
            elif present or split == "train":
                found = ", ".join(sorted(entries)[:10])
                raise InputError(f"{path} must hold both {names[0]} and {names[1]}; it holds {found}")
    classes = np.unique(pairs["train"][1])
    parts: dict[Split, Part] = {}
    for split, (images, labels) in pairs.items():
        if unknown := sorted(set(labels.tolist()) - set(classes.tolist())):
            raise InputError(f"{path}: test_labels has {str(unknown[0])[:60]!r}, which no training image has")
        if images.shape[1:-2] != pairs["train"][0].shape[1:-2]:
            raise InputError(f"{path}: images and test_images differ in their channels")
        name = f"{path}: {_PREFIXES[split]}images"
        parts[split] = Part(ArrayImages(name, images), np.searchsorted(classes, labels).astype(np.int64))
    yield Source(path.resolve().stem, tuple(str(value) for value in classes.tolist()), parts)


def _read(archive: zipfile.ZipFile, path: Path, entry: zipfile.ZipInfo) -> NDArray[Any]:
    name = f"{path}: {entry.filename.removesuffix('.npy')}"
    return read_array(name, entry.file_size, lambda: open_entry(archive, entry))


def _images(path: Path, name: str, images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise InputError(f"{path}: {name} is {images.dtype}; save pixels of 0 to 255 as uint8")
    check_image_array(f"{path}: {name}", images.shape)
    # One plane is a grey image: it may then be asked for as grey or rgb too.
    return images[:, 0] if images.ndim == 4 and images.shape[1] == 1 else images


def _labels(path: Path, name: str, labels: NDArray[Any], n_images: int) -> NDArray[Any]:
    if labels.dtype.kind not in "iuU" or labels.ndim != 1:
        raise InputError(
            f"{path}: {name} is {labels.dtype} {list(labels.shape)}; save one number or string per image"
        )
    if len(labels) != n_images:
        raise InputError(f"{path}: there are {n_images:,} images but {len(labels):,} {name}")
    return labels
