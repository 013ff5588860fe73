"""A data set as the rest of the toolchain sees it: three subsets of network pixels with their targets."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Pixels, Preprocessing
from toolchain.measures import Task

Targets = NDArray[np.int64] | NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """The mean of a number over the training images, and the power of two nearest to its standard deviation.

    A power of two, because a network's scores then become values of ``unit`` by an exponent alone.
    """

    mean: float
    shift: int

    @property
    def unit(self) -> float:
        """2**shift, in the number's own unit."""
        return 2.0**self.shift

    @classmethod
    def of(cls, targets: NDArray[np.float32]) -> Scale:
        """The scale of the targets [n] of one output; raises ``ValueError`` if they are all equal or not finite."""
        deviation = float(targets.std(dtype=np.float64)) if np.isfinite(targets).all() else 0.0
        if deviation == 0:
            raise ValueError("the targets do not vary, or are not all finite")
        return cls(float(targets.mean(dtype=np.float64)), round(math.log2(deviation)))


@dataclass(frozen=True)
class Subset:
    """Preprocessed images and what a network is to say of each: a class of ``Dataset.labels``, or numbers."""

    images: Pixels
    """uint8 [N, C, H, W], contiguous, in the order of the source; of an event camera [N, T, C, H, W], T frames each."""
    targets: Targets
    """int64 [N], the index of the class; or, of a regression, float32 [N, outputs] in the numbers' own units."""

    def __len__(self) -> int:
        return len(self.targets)

    def drawn(self, count: int, seed: int) -> Subset:
        """``count`` of the images, or all if there are fewer, drawn without replacement, in their order."""
        if count >= len(self):
            return self
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return Subset(self.images[chosen], self.targets[chosen])


@dataclass(frozen=True)
class Dataset:
    """Images to train on, to choose by (validation) and to report on (test), disjoint."""

    name: str
    train: Subset
    validation: Subset
    test: Subset
    labels: tuple[str, ...]
    """Names of the classes, or of the numbers."""
    preprocessing: Preprocessing
    """How the source's images became network pixels; the Graph records it and the firmware repeats it."""
    sha256: str
    """What ``fingerprint`` gives for these subsets: what a network was trained, chosen and tested on."""
    is_demonstration: bool
    """True for the built-in digits: nothing made from them is meant for deployment."""
    scales: tuple[Scale, ...] = ()
    """Of a regression: one for every number; empty for classes."""

    @property
    def shifts(self) -> tuple[int, ...]:
        """Powers of two of the numbers' units, as the head of a network has them; none for classes."""
        return tuple(scale.shift for scale in self.scales)

    @property
    def task(self) -> Task:
        """What is asked of a network."""
        return "regression" if self.scales else "classification"

    @property
    def pixels(self) -> Shape:
        """Extent of one image, or of one frame."""
        return Shape(*self.train.images.shape[-3:])


def fingerprint(train: Subset, validation: Subset, test: Subset, labels: tuple[str, ...]) -> str:
    """Hex sha256 over the pixels, the targets and who is in which subset.

    Pixels and not files are hashed: what a JPEG decodes to may differ by a level between decoder versions,
    and a network trained on other pixels is another network.
    """
    digest = hashlib.sha256(json.dumps(labels).encode())
    for subset in (train, validation, test):
        digest.update(json.dumps(subset.images.shape).encode())
        digest.update(np.ascontiguousarray(subset.images).data)
        form = "<f4" if subset.targets.dtype.kind == "f" else "<i8"
        digest.update(np.ascontiguousarray(subset.targets, dtype=form).data)
    return digest.hexdigest()
