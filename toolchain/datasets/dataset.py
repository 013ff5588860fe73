"""A data set as the rest of the toolchain sees it: three subsets of network pixels with their classes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.preprocessing import Pixels, Preprocessing

Targets = NDArray[np.int64]


@dataclass(frozen=True)
class Subset:
    """Preprocessed images and the index of each one's class in ``Dataset.labels``."""

    images: Pixels
    """uint8 [N, C, H, W], contiguous, in the order of the source."""
    targets: Targets
    """int64 [N]."""

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Dataset:
    """Images to train on, to choose by (validation) and to report on (test), disjoint."""

    name: str
    train: Subset
    validation: Subset
    test: Subset
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    """How the source's images became network pixels; the Graph records it and the firmware repeats it."""
    sha256: str
    """What ``fingerprint`` gives for these subsets: what a network was trained, chosen and tested on."""
    is_demonstration: bool
    """True for the built-in digits: nothing made from them is meant for deployment."""


def fingerprint(train: Subset, validation: Subset, test: Subset, labels: tuple[str, ...]) -> str:
    """Hex sha256 over the pixels, the classes and who is in which subset.

    Pixels and not files are hashed: what a JPEG decodes to may differ by a level between decoder versions,
    and a network trained on other pixels is another network.
    """
    digest = hashlib.sha256(json.dumps(labels).encode())
    for subset in (train, validation, test):
        digest.update(json.dumps(subset.images.shape).encode())
        digest.update(np.ascontiguousarray(subset.images).data)
        digest.update(np.ascontiguousarray(subset.targets, dtype="<i8").data)
    return digest.hexdigest()
