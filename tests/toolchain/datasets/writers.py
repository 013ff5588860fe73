"""Small data sets, written in every format that is read; the same images and classes in the same order."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("0", "1", "2")


def sample(per_class=10, shape=(12, 9), seed=0):
    """Images sorted by class, all different; pixel [0, 0] of an image tells its class."""
    n_images = len(CLASSES) * per_class
    images = np.random.default_rng(seed).integers(0, 256, (n_images, *shape), np.uint8)
    labels = np.repeat(np.arange(len(CLASSES)), per_class)
    images[:, 0, 0] = (100 * labels).reshape(-1, *([1] * (len(shape) - 2)))
    return images, labels


def png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png")
    return stream.getvalue()


def image_files(images, labels, prefix=""):
    """Path within the data set -> content; names sort in the order of the images."""
    return {
        f"{prefix}{CLASSES[label]}/{index:04}.png": png(image)
        for index, (image, label) in enumerate(zip(images, labels, strict=True))
    }


def write_folder(root: Path, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def idx_bytes(array):
    array = np.asarray(array, np.uint8)
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(root: Path, train, test=None, packed=False, separator="-"):
    root.mkdir(parents=True, exist_ok=True)
    for stem, pair in (("train", train), ("t10k", test)):
        if pair is None:
            continue
        for kind, axes, array in (("images", 3, pair[0]), ("labels", 1, pair[1])):
            content = idx_bytes(array)
            name = f"{stem}-{kind}{separator}idx{axes}-ubyte"
            (root / (name + ".gz" if packed else name)).write_bytes(
                gzip.compress(content) if packed else content
            )
    return root


def write_npz(path: Path, train, test=None, compressed=True):
    arrays = {"images": train[0], "labels": train[1]}
    if test is not None:
        arrays |= {"test_images": test[0], "test_labels": test[1]}
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


WITHOUT_SPLIT = {
    "folder": lambda base, train: write_folder(base / "set", image_files(*train)),
    "folder, wrapped": lambda base, train: write_folder(base / "set", image_files(*train, "inner/data/")),
    "folder, train only": lambda base, train: write_folder(base / "set", image_files(*train, "train/")),
    "zip": lambda base, train: write_zip(base / "set.zip", image_files(*train)),
    "zip, wrapped": lambda base, train: write_zip(base / "set.zip", image_files(*train, "set/")),
    "idx": lambda base, train: write_idx(base / "set", train),
    "idx, packed": lambda base, train: write_idx(base / "set", train, packed=True),
    "idx, dotted": lambda base, train: write_idx(base / "set", train, separator="."),
    "npz": lambda base, train: write_npz(base / "set.npz", train),
    "npz, stored": lambda base, train: write_npz(base / "set.npz", train, compressed=False),
    "npz, one plane": lambda base, train: write_npz(base / "set.npz", (train[0][:, None], train[1])),
    "npz, text labels": lambda base, train: write_npz(base / "set.npz", (train[0], train[1].astype(str))),
}

WITH_TEST = {
    "folder": lambda base, train, test: write_folder(
        base / "set", image_files(*train, "train/") | image_files(*test, "test/")
    ),
    "folder, val": lambda base, train, test: write_folder(
        base / "set", image_files(*train, "Training/") | image_files(*test, "val/")
    ),
    "zip": lambda base, train, test: write_zip(
        base / "set.zip", image_files(*train, "set/train/") | image_files(*test, "set/test/")
    ),
    "idx": lambda base, train, test: write_idx(base / "set", train, test),
    "idx, packed": lambda base, train, test: write_idx(base / "set", train, test, packed=True),
    "npz": lambda base, train, test: write_npz(base / "set.npz", train, test),
}
