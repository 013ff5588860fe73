"""Small data sets, written in every format that is read; the same images and classes in the same order."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
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


CIFAR10_NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split()


def cifar_files(kind, per_class=3, seed=0):
    """The files of a small CIFAR in the published layout, and its images and labels: {split: (images, labels)}.

    ``kind``: 10 or 100. Images are uint8 [N, 3, 32, 32].
    """
    random = np.random.default_rng(seed)
    batches = (
        {f"data_batch_{i}.bin": "train" for i in range(1, 6)} | {"test_batch.bin": "test"}
        if kind == 10
        else {"train.bin": "train", "test.bin": "test"}
    )
    files, sets = {}, {"train": [], "test": []}
    for name, split in batches.items():
        images = random.integers(0, 256, (kind * per_class, 3, 32, 32), np.uint8)
        labels = np.tile(np.arange(kind), per_class)
        files[name] = b"".join(
            bytes([label] if kind == 10 else [label // 5, label]) + image.tobytes()
            for image, label in zip(images, labels, strict=True)
        )
        sets[split].append((images, labels))
    if kind == 10:
        files["batches.meta.txt"] = "\n".join([*CIFAR10_NAMES, "", ""]).encode()
    else:
        files["fine_label_names.txt"] = "\n".join(f"fine{i}" for i in range(100)).encode()
        files["coarse_label_names.txt"] = "\n".join(f"coarse{i}" for i in range(20)).encode()
    joined = {
        split: tuple(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        for split, pairs in sets.items()
    }
    folder = "cifar-10-batches-bin" if kind == 10 else "cifar-100-binary"
    return {f"{folder}/{name}": data for name, data in files.items()}, joined


def tar_member(name, data=b"", **fields):
    """A tar header with whatever fields an attacker likes, and its content in whole blocks."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def write_tar(path: Path, files, packed=True, more=b""):
    """The files in their folder, then ``more`` members as bytes."""
    folder = next(iter(files)).split("/")[0]
    content = tar_member(folder, type=tarfile.DIRTYPE)
    content += b"".join(tar_member(name, data) for name, data in files.items()) + more + bytes(1024)
    path.write_bytes(gzip.compress(content, 1) if packed else content)
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
