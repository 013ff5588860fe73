"""Image files with one sub-folder per class, in a folder or a zip archive.

    data/<class>/<any>.png                      split here: 20 % for test
    data/{train,test}/<class>/<any>.jpg         split kept; ``val`` is the test set where there is no ``test``
    data/{train,val,test}/<class>/<any>.jpg     split kept

Images may lie deeper within their class folder. A single folder around all this is looked through, and other
files are ignored. Classes and images are in order of their names' code points.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolchain.datasets.archives import is_archive
from toolchain.datasets.decoding import OTHER_SUFFIXES, SUFFIXES, decode, inspect
from toolchain.datasets.file_tree import FileTree, Parts, open_tree
from toolchain.datasets.source import Indices, Native, Part, Source, Split
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Channels, Pixels, Preprocessing

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}

# Images that a thread takes at a time: few enough to share out a small set, enough to outweigh the hand-over.
_CHUNK = 128


def recognises(path: Path) -> bool:
    """Any folder or zip archive: asked last."""
    return path.is_dir() or is_archive(path)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The images below ``path``, decoded when they are asked for."""
    with open_tree(path) as tree:
        images = [file for file in tree.files if file[-1].lower().endswith(SUFFIXES + OTHER_SUFFIXES)]
        if not images:
            raise InputError(f"{path} holds no images ({', '.join(SUFFIXES)})")
        prefixes = _split_folders(tree, images)
        labels = _children(tree.folders, prefixes["train"])
        if not labels:
            raise InputError(
                f"{tree.describe(prefixes['train'])} has no class folders; put the images of each class in a "
                "sub-folder of its own"
            )
        parts = {split: _part(tree, images, prefix, labels) for split, prefix in prefixes.items()}
        yield Source(path.resolve().stem if path.is_file() else path.resolve().name, labels, parts)


@dataclass(frozen=True)
class ImageFiles:
    """Images decoded one by one: memory holds the preprocessed pixels and a few images in the making."""

    tree: FileTree
    files: tuple[Parts, ...]

    def __len__(self) -> int:
        return len(self.files)

    def native(self, indices: Indices) -> Native:
        sizes: dict[tuple[int, int], str] = {}
        channels: Channels = "grey"
        for index in indices:
            file = self.files[index]
            height, width, colour = inspect(self.tree.describe(file), self.tree.read(file))
            sizes.setdefault((height, width), self.tree.describe(file))
            if colour:
                channels = "rgb"
        return Native(sizes, channels)

    def planes(self, preprocessing: Preprocessing) -> int:
        if preprocessing.channels == "as_is":
            raise InputError(
                f"{self.tree.root}: image files are grey or rgb; channels that are taken as_is come from .npz"
            )
        return 1 if preprocessing.channels == "grey" else 3

    def preprocessed(self, indices: Indices, preprocessing: Preprocessing) -> Pixels:
        shape = (self.planes(preprocessing), preprocessing.height, preprocessing.width)
        result = np.empty((len(indices), *shape), np.uint8)

        def fill(first: int) -> None:
            for position in range(first, min(first + _CHUNK, len(indices))):
                file = self.files[indices[position]]
                image = decode(self.tree.describe(file), self.tree.read(file))
                result[position] = preprocessing.apply(image)

        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            try:
                # In order, so that of several bad images it is always the first one that is named.
                for _ in pool.map(fill, range(0, len(indices), _CHUNK)):
                    pass
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return result


def _split_folders(tree: FileTree, images: list[Parts]) -> dict[Split, Parts]:
    """The folder that holds the class folders of each split; ``train`` alone where there is no split."""
    root: Parts = ()
    folders = _children(tree.folders, root)
    while len(folders) == 1 and _children(tree.folders, (*root, *folders)):
        root = (*root, *folders)
        folders = _children(tree.folders, root)
    holding = {image[len(root)] for image in images if len(image) > len(root) + 1}
    splits: dict[Split, Parts] = {}
    for folder in folders:
        split = SPLIT_NAMES.get(folder.lower())
        if split is None and folder in holding:
            # A class may be called "train": it is a split only among splits.
            return {"train": root}
        if split is None:
            continue
        if split in splits:
            raise InputError(
                f"{tree.describe(root)} has two {split} folders: {splits[split][-1]} and {folder}"
            )
        splits[split] = (*root, folder)
    if not splits:
        return {"train": root}
    if "train" not in splits:
        raise InputError(f"{tree.describe(root)} has a {' and a '.join(splits)} folder but no train folder")
    if "test" not in splits and "validation" in splits:
        splits["test"] = splits.pop("validation")
    return splits


def _part(tree: FileTree, images: list[Parts], prefix: Parts, labels: tuple[str, ...]) -> Part:
    depth = len(prefix)
    mine = [image for image in images if image[:depth] == prefix and len(image) > depth + 1]
    index = {label: position for position, label in enumerate(labels)}
    present = {image[depth] for image in mine}
    if not mine:
        raise InputError(f"{tree.describe(prefix)} holds no images in class folders; fill it or remove it")
    for image in mine:
        if image[-1].lower().endswith(OTHER_SUFFIXES):
            raise InputError(
                f"{tree.describe(image)} is of a kind that is not read; convert it to PNG or JPEG"
            )
    for folder in _children(tree.folders, prefix):
        if folder not in index:
            raise InputError(f"{tree.describe((*prefix, folder))} is a class without a folder among train's")
        if folder not in present:
            raise InputError(
                f"the class folder {tree.describe((*prefix, folder))} holds no images; fill it or remove it"
            )
    return Part(ImageFiles(tree, tuple(mine)), np.array([index[image[depth]] for image in mine], np.int64))


def _children(folders: tuple[Parts, ...], prefix: Parts) -> tuple[str, ...]:
    depth = len(prefix)
    return tuple(folder[depth] for folder in folders if len(folder) == depth + 1 and folder[:depth] == prefix)
