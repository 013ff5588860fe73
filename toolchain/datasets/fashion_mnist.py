"""Fashion-MNIST by name, where Debian's package ``dataset-fashion-mnist`` puts it.

60,000 + 10,000 images of 28x28, 10 classes (Xiao, Rasul and Vollgraf, arXiv 1708.07747). It is looked for
below every folder of ``XDG_DATA_DIRS`` (by default /usr/local/share and /usr/share).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from toolchain.datasets import idx
from toolchain.datasets.source import Source
from toolchain.errors import InputError

NAME = "fashion_mnist"
LABELS = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


@contextmanager
def open_source() -> Iterator[Source]:
    """The installed data set; raises ``InputError`` with how to get it if there is none."""
    roots = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for root in roots.split(os.pathsep):
        folder = Path(root, "datasets", "fashion-mnist")
        if idx.recognises(folder):
            with idx.open_source(folder) as source:
                if len(source.labels) != len(LABELS):
                    raise InputError(f"{folder} has {len(source.labels)} classes, so it is not Fashion-MNIST")
                yield replace(source, name=NAME, labels=LABELS)
            return
    raise InputError(
        "fashion_mnist is not installed; on Debian and Ubuntu: apt install dataset-fashion-mnist; elsewhere "
        "give the folder that holds its four files (train-images-idx3-ubyte.gz and so on)"
    )
