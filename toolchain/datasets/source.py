"""What a format gives to the loader: labelled images that are preprocessed when asked for.

A format is one module with two functions, ``recognises(path)``, which looks at the content, and
``open_source(path)``, a context manager; ``loading.FORMATS`` lists them. Both raise ``InputError`` for what
they cannot read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.dataset import Targets
from toolchain.datasets.limits import MAX_CHANNELS, MAX_CLASSES, check_memory
from toolchain.errors import InputError
from toolchain.graph.events import Events
from toolchain.graph.preprocessing import Channels, Pixels, Preprocessing

Split = Literal["train", "validation", "test"]
Indices = NDArray[np.int64]

# Images that are picked out of an array at a time: a copy of all of them would double the memory.
_CHUNK = 1024


@dataclass(frozen=True)
class Native:
    """How images are before preprocessing."""

    sizes: Mapping[tuple[int, int], str]
    """Every (height, width) that occurs, with the name of one image that has it."""
    channels: Channels
    """The conversion that loses nothing."""


class Images(Protocol):
    """The images of one part of a source, by index."""

    def __len__(self) -> int: ...

    def native(self, indices: Indices) -> Native:
        """Size and channels of these images."""

    def planes(self, preprocessing: Preprocessing) -> int:
        """C of the preprocessed images; raises ``InputError`` if they cannot be converted so."""

    def preprocessed(self, indices: Indices, preprocessing: Preprocessing) -> Pixels:
        """These images as uint8 [N, C, height, width]."""


@dataclass(frozen=True)
class EventSamples:
    """Samples of an event camera; ``read`` gives the events of one, and raises ``InputError`` if it is damaged.

    Neighbouring samples may lie in one file, so they are best read in ascending order.
    """

    count: int
    sensor_height: int
    sensor_width: int
    read: Callable[[int], Events]

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True)
class Part:
    """Images, or samples of events, with the index of each one's class, int64 [N], in ``Source.labels``, or with its
    numbers, float32 [N, k].

    All parts of a source are of the same kind.
    """

    images: Images | EventSamples
    targets: Targets


@dataclass(frozen=True)
class Source:
    """A data set as it lies on disk; ``parts`` has ``train`` and whichever other splits its makers fixed."""

    name: str
    labels: tuple[str, ...]
    parts: Mapping[Split, Part]
    is_demonstration: bool = False
    of_numbers: bool = False
    """Whether targets are numbers, named by ``labels``, and not classes."""


@dataclass(frozen=True)
class ArrayImages:
    """Images of one size that are in memory: uint8 [N, H, W] (grey) or [N, C, H, W] (planes)."""

    name: str
    pixels: Pixels
    planes_are: Channels = "as_is"
    """What planes are: "rgb" if they are known to be red, green and blue, else the makers' own."""

    def __len__(self) -> int:
        return len(self.pixels)

    def native(self, indices: Indices) -> Native:
        height, width = self.pixels.shape[-2:]
        return Native({(height, width): self.name}, "grey" if self.pixels.ndim == 3 else self.planes_are)

    def planes(self, preprocessing: Preprocessing) -> int:
        planes = self.pixels.shape[1] if self.pixels.ndim == 4 else 1
        if preprocessing.channels == "as_is":
            return planes
        if planes not in (1, 3):
            raise InputError(
                f"{self.name} has images of {planes} channels, which do not convert to "
                f"{preprocessing.channels}; leave --channels out to keep them as they are"
            )
        return 1 if preprocessing.channels == "grey" else 3

    def preprocessed(self, indices: Indices, preprocessing: Preprocessing) -> Pixels:
        pixels = self.pixels
        shape = (self.planes(preprocessing), preprocessing.height, preprocessing.width)
        if pixels.ndim == 4 and preprocessing.channels != "as_is":
            pixels = np.moveaxis(pixels, 1, 3)
        result = np.empty((len(indices), *shape), np.uint8)
        for first in range(0, len(indices), _CHUNK):
            chunk = slice(first, first + _CHUNK)
            result[chunk] = preprocessing.apply_batch(pixels[indices[chunk]])
        return result


def check_image_array(name: str, shape: tuple[int, ...]) -> None:
    """Raise ``InputError`` unless ``shape`` is that of uint8 images that fit in memory.

    Called with what a header claims, before anything of that size is allocated.
    """
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise InputError(f"{name} has shape {list(shape)}; images must be [N, H, W] or [N, C, H, W]")
    if len(shape) == 4 and shape[1] > MAX_CHANNELS:
        hint = (
            ", here it looks like [N, H, W, C]: transpose the axes to (0, 3, 1, 2)" if shape[3] <= 4 else ""
        )
        raise InputError(
            f"{name} has shape {list(shape)}; images of up to {MAX_CHANNELS} channels "
            f"must be [N, C, H, W]{hint}"
        )
    n_bytes = 1
    for length in shape:
        n_bytes *= length
    check_memory(n_bytes, f"{name} of shape {list(shape)}", "save fewer or smaller images")


def check_labels(name: str, labels: Iterable[str], *, of_numbers: bool = False) -> None:
    """Raise ``InputError`` unless there are 2 to ``MAX_CLASSES`` labels of printable text, or any of numbers."""
    count, kind = 0, "number" if of_numbers else "class"
    for label in labels:
        count += 1
        if not label.isprintable() or not 1 <= len(label) <= 200:
            raise InputError(
                f"{name}: the {kind} name {label!r:.60} is empty, too long or not printable; rename it"
            )
    if of_numbers:
        return
    if count < 2:
        raise InputError(f"{name} has {count} class{'es' * (count != 1)}; at least 2 are needed")
    if count > MAX_CLASSES:
        raise InputError(f"{name} has {count:,} classes; at most {MAX_CLASSES:,} are supported")
