"""From what a user names to a ``Dataset``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets import cifar, digits, dvs_gesture, fashion_mnist, idx, image_folder, n_mnist, npz
from toolchain.datasets.dataset import Dataset, Scale, Subset, Targets, fingerprint
from toolchain.datasets.event_frames import prepared
from toolchain.datasets.limits import MAX_OFFSET, check_memory
from toolchain.datasets.source import (
    EventSamples,
    Images,
    Indices,
    Native,
    Part,
    Source,
    Split,
    check_labels,
)
from toolchain.datasets.splitting import split
from toolchain.errors import InputError
from toolchain.graph.events import MAX_FRAMES
from toolchain.graph.nodes import MAX_SHIFT
from toolchain.graph.preprocessing import Channels, Crop, Preprocessing


class Format(Protocol):
    """A module that reads one kind of data set; see ``source``."""

    def recognises(self, path: Path) -> bool: ...

    def open_source(self, path: Path) -> AbstractContextManager[Source]: ...


FORMATS: tuple[Format, ...] = (idx, cifar, n_mnist, dvs_gesture, npz, image_folder)
"""Asked in this order; ``image_folder`` takes any folder and archive that the others do not."""

BUILT_IN = {digits.NAME: digits.open_source, fashion_mnist.NAME: fashion_mnist.open_source}


def load(
    source: str | Path | None,
    *,
    size: int | tuple[int, int] | None = None,
    channels: str | None = None,
    crop: str = "none",
    validation_fraction: float = 0.1,
    seed: int = 0,
    limit: int | None = None,
    frames: int | None = None,
) -> Dataset:
    """Read, split and preprocess a data set.

    ``source``: None or "digits" for the built-in digits (16x16 unless ``size`` is given), "fashion_mnist" for
    the installed one; otherwise a folder of images, a folder of IDX files, CIFAR's binary archives
    or their folders, the folders of N-MNIST and DVS128 Gesture, a ``.zip`` of images or an ``.npz``, told
    apart by content. ``./digits`` or a ``Path`` is never taken for a name.

    ``size``: side of a square or (height, width), in pixels; None keeps the images' own, which must then be
    the same for all. ``channels``: "grey", "rgb", "as_is" (the planes of an ``.npz``), or None for what loses
    nothing. ``crop``: "none" or "centre_square". ``limit``: the most images to take from each part that the
    source has. The split is described in ``splitting.split``. An ``.npz`` may hold numbers in place of classes:
    see ``npz``. ``frames``: into how many frames the events of a sample are counted; None is
    ``event_frames.FRAMES``, and for images nothing else is possible.

    Raises ``InputError`` if the source is missing, damaged, hostile, too large or has no usable classes or numbers.
    """
    if not 0 < validation_fraction < 1:
        raise InputError(f"the validation fraction must lie between 0 and 1, not {validation_fraction}")
    if limit is not None and limit < 1:
        raise InputError(f"the limit of images must be at least 1, not {limit}")
    if frames is not None and not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"a sample of events becomes 1 to {MAX_FRAMES} frames, not {frames}")
    # Stand-ins for what is not known yet: a wrong option should not be found after a long read.
    Preprocessing(*(_sides(size) or (1, 1)), cast(Channels, channels or "grey"), cast(Crop, crop))
    with _opened(source) as opened:
        _check(opened)
        chosen = split(
            {name: _strata(opened, part) for name, part in opened.parts.items()},
            ("",) if opened.of_numbers else opened.labels,
            validation_fraction=validation_fraction,
            seed=seed,
            limit=limit,
        )
        if size is None and opened.is_demonstration:
            size = digits.SIZE
        parts = {name: opened.parts.get(name, opened.parts["train"]) for name in chosen}
        events = {name: part.images for name, part in parts.items() if isinstance(part.images, EventSamples)}
        if events:
            if channels is not None or crop != "none":
                raise InputError(
                    f"{opened.name} has events, not images; leave --channels and cropping out, and give --frames"
                )
            preprocessing, pixels = prepared(events, chosen, frames, _sides(size))
        else:
            if frames is not None:
                raise InputError(f"{opened.name} has images, not events; leave --frames out")
            images = {name: cast(Images, part.images) for name, part in parts.items()}
            preprocessing = _preprocessing(images, chosen, _sides(size), channels, cast(Crop, crop))
            pixels = {
                name: images[name].preprocessed(indices, preprocessing) for name, indices in chosen.items()
            }
        subsets = {
            name: Subset(pixels[name], parts[name].targets[indices]) for name, indices in chosen.items()
        }
    return Dataset(
        name=opened.name,
        labels=opened.labels,
        preprocessing=preprocessing,
        sha256=fingerprint(subsets["train"], subsets["validation"], subsets["test"], opened.labels),
        is_demonstration=opened.is_demonstration,
        scales=_scales(opened, subsets["train"].targets) if opened.of_numbers else (),
        train=subsets["train"],
        validation=subsets["validation"],
        test=subsets["test"],
    )


@contextmanager
def _opened(source: str | Path | None) -> Iterator[Source]:
    if source is None or isinstance(source, str) and source in BUILT_IN:
        with BUILT_IN[source or digits.NAME]() as opened:
            yield opened
        return
    path = Path(source)
    names = ", ".join(BUILT_IN)
    try:
        if not path.exists():
            raise InputError(
                f"data set {path} does not exist; give a folder, a .zip, an .npz, CIFAR's .tar.gz "
                f"or one of {names}"
            )
        for form in FORMATS:
            if form.recognises(path):
                break
        else:
            raise InputError(
                f"{path} is not a data set that can be read: give a folder of images or IDX files, a .zip of "
                f"images, an .npz or CIFAR's binary .tar.gz (if it is one, it is damaged), or one of {names}"
            )
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    with form.open_source(path) as opened:
        yield opened


def _check(source: Source) -> None:
    """What holds for a source of any format."""
    check_labels(source.name, source.labels, of_numbers=source.of_numbers)
    for name, part in source.parts.items():
        if len(part.images) != len(part.targets) or not len(part.targets):
            raise InputError(f"{source.name}: the {name} part has no images")


def _strata(source: Source, part: Part) -> NDArray[np.int64]:
    """The class of each image; images with numbers are all of one."""
    return np.zeros(len(part.targets), np.int64) if source.of_numbers else part.targets.astype(np.int64)


def _scales(source: Source, targets: Targets) -> tuple[Scale, ...]:
    """The scale of every number; raises ``InputError`` where one cannot be learnt from its targets."""
    scales = []
    for name, column in zip(source.labels, targets.T, strict=True):
        what = f"{source.name}: the number {name!r}"
        try:
            scale = Scale.of(column.astype(np.float32))
        except ValueError as error:
            raise InputError(f"{what} is the same for all images to train with; leave it out") from error
        if abs(scale.shift) > MAX_SHIFT or abs(scale.mean) > MAX_OFFSET * scale.unit:
            raise InputError(
                f"{what} varies by {scale.unit:.3g} around {scale.mean:.6g}; subtract its mean, or take another unit"
            )
        scales.append(scale)
    return tuple(scales)


def _sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    return (size, size) if isinstance(size, int) else size


def _preprocessing(
    images: dict[Split, Images],
    chosen: dict[Split, Indices],
    sides: tuple[int, int] | None,
    channels: str | None,
    crop: Crop,
) -> Preprocessing:
    if sides is None or channels is None:
        natives = [images[name].native(indices) for name, indices in chosen.items()]
        channels = channels or _common_channels(natives)
        sides = sides or _common_size(natives, crop)
    preprocessing = Preprocessing(*sides, cast(Channels, channels), crop)
    n_images = sum(len(indices) for indices in chosen.values())
    planes = max(part.planes(preprocessing) for part in images.values())
    n_bytes = n_images * planes * sides[0] * sides[1]
    check_memory(n_bytes, f"{n_images:,} images", "use --limit or a smaller --size")
    return preprocessing


def _common_channels(natives: list[Native]) -> Channels:
    kinds = {native.channels for native in natives}
    return "rgb" if kinds == {"grey", "rgb"} else kinds.pop()


def _common_size(natives: list[Native], crop: Crop) -> tuple[int, int]:
    sizes = {size: name for native in natives for size, name in native.sizes.items()}
    if len(sizes) > 1:
        (first, one), (second, other) = list(sizes.items())[:2]
        raise InputError(
            f"the images have various sizes ({one} is {first[0]}x{first[1]}, {other} is "
            f"{second[0]}x{second[1]}); say what to resize them to, for instance --size 32"
        )
    ((height, width),) = sizes
    return (min(height, width),) * 2 if crop == "centre_square" else (height, width)
