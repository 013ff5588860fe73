"""numpy archives: ``np.savez_compressed("mine.npz", images=..., labels=...)``.

``images`` is uint8 [N, H, W] (grey) or [N, C, H, W] (any planes, kept as they are unless grey or rgb is asked
for); ``labels`` is [N] whole numbers or strings, and the classes are its distinct values in order. Numbers to be told
instead (a regression), such as a steering angle, are ``targets``, floating point [N] or [N, k]; ``labels`` may then
be k strings that name them. ``test_images`` with ``test_labels`` or ``test_targets`` are the test set; without them
20 % is set aside. Nothing is unpickled.
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
from toolchain.datasets.limits import MAX_NUMBERS
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
    images: dict[Split, NDArray[np.uint8]] = {}
    given: dict[Split, NDArray[Any]] = {}
    with open_archive(path) as archive:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        kind = "targets" if "targets" in entries else "labels"
        for split, prefix in _PREFIXES.items():
            names = (f"{prefix}images", f"{prefix}{kind}")
            present = [name for name in names if name in entries]
            if len(present) == 2:
                pixels, wanted = (_read(archive, path, entries[name]) for name in names)
                images[split] = _images(path, names[0], pixels)
                check = _targets if kind == "targets" else _labels
                given[split] = check(path, names[1], wanted, len(images[split]))
            elif present or split == "train":
                found = ", ".join(sorted(entries)[:10])
                raise InputError(f"{path} must hold both {names[0]} and {names[1]}; it holds {found}")
        named = kind == "targets" and "labels" in entries
        names_given = _read(archive, path, entries["labels"]) if named else None
    labels, targets = _numbers(path, given, names_given) if kind == "targets" else _classes(path, given)
    parts: dict[Split, Part] = {}
    for split, pixels in images.items():
        if pixels.shape[1:-2] != images["train"].shape[1:-2]:
            raise InputError(f"{path}: images and test_images differ in their channels")
        parts[split] = Part(ArrayImages(f"{path}: {_PREFIXES[split]}images", pixels), targets[split])
    yield Source(path.resolve().stem, labels, parts, of_numbers=kind == "targets")


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
        hint = "; numbers to be told are called targets" if labels.dtype.kind == "f" else ""
        raise InputError(
            f"{path}: {name} is {labels.dtype} {list(labels.shape)}; save one number or string per image{hint}"
        )
    if len(labels) != n_images:
        raise InputError(f"{path}: there are {n_images:,} images but {len(labels):,} {name}")
    return labels


def _targets(path: Path, name: str, targets: NDArray[Any], n_images: int) -> NDArray[np.float32]:
    """Targets as float32 [N, k]."""
    if targets.dtype.kind != "f" or targets.ndim not in (1, 2) or 0 in targets.shape[1:]:
        raise InputError(
            f"{path}: {name} is {targets.dtype} {list(targets.shape)}; save floating point [N] or [N, k], "
            "or whole numbers of classes as labels"
        )
    if len(targets) != n_images:
        raise InputError(f"{path}: there are {n_images:,} images but {len(targets):,} {name}")
    with np.errstate(over="ignore"):
        result: NDArray[np.float32] = targets.reshape(n_images, -1).astype(np.float32)
    if result.shape[1] > MAX_NUMBERS:
        raise InputError(f"{path}: {name} has {result.shape[1]:,} numbers an image; at most {MAX_NUMBERS}")
    if len(bad := np.argwhere(~np.isfinite(result))):
        raise InputError(
            f"{path}: {name} of image {bad[0][0]} is not finite in float32; mend it or leave the image out"
        )
    return result


def _classes(
    path: Path, labels: dict[Split, NDArray[Any]]
) -> tuple[tuple[str, ...], dict[Split, NDArray[np.int64]]]:
    """Names of the classes, and every image's class."""
    classes = np.unique(labels["train"])
    for each in labels.values():
        if unknown := sorted(set(each.tolist()) - set(classes.tolist())):
            raise InputError(f"{path}: test_labels has {str(unknown[0])[:60]!r}, which no training image has")
    targets = {split: np.searchsorted(classes, each).astype(np.int64) for split, each in labels.items()}
    return tuple(str(value) for value in classes.tolist()), targets


def _numbers(
    path: Path, targets: dict[Split, NDArray[np.float32]], given: NDArray[Any] | None
) -> tuple[tuple[str, ...], dict[Split, NDArray[np.float32]]]:
    """Names of the numbers, and every image's numbers."""
    count = targets["train"].shape[1]
    if any(each.shape[1] != count for each in targets.values()):
        raise InputError(f"{path}: targets and test_targets differ in how many numbers an image has")
    if given is None:
        return tuple(f"output{k}" for k in range(count)), targets
    names = given.reshape(-1).tolist() if given.dtype.kind == "U" and given.ndim < 2 else []
    if len(names) != count or len(set(names)) != count:
        raise InputError(
            f"{path}: labels is {given.dtype} {list(given.shape)}; with targets, save a different string for "
            f"each of the {count} numbers, or leave labels out"
        )
    return tuple(names), targets
