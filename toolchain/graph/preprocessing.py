"""From camera pixels to network pixels, in integers only, so that firmware repeats it bit for bit.

Images come as the hardware gives them: ``[height, width]`` is grey, ``[height, width, 3]`` is interleaved
red, green, blue (a decoder's or camera's frame buffer), and with ``channels="as_is"``
``[channels, height, width]`` is any number of planes that are not converted (thermal, depth, stacked frames).
A network always receives planes, ``uint8 [channels, height, width]``.

The three steps, in this order:

1. **Crop.** ``centre_square`` keeps the square of side ``s = min(h, w)`` whose first row is
   ``(h - s) >> 1`` and whose first column is ``(w - s) >> 1``; ``none`` keeps everything.
2. **Channels.** ``grey`` turns colour into luma, ``y = (77 R + 150 G + 29 B + 128) >> 8`` (the weights
   .299, .587 and .114 of ITU-R BT.601 times 256); ``rgb`` repeats a grey image in all three planes.
3. **Resize** by area, up or down. Measured in units of ``1 / (h H)``, input row ``r`` of ``h`` covers
   ``[r H, (r + 1) H)`` and output row ``i`` of ``H`` covers ``[i h, (i + 1) h)``; columns alike. With
   the overlaps

       a(i, r) = max(0, min((i + 1) h, (r + 1) H) - max(i h, r H))
       b(j, c) = max(0, min((j + 1) w, (c + 1) W) - max(j w, c W))

   and ``total = h w`` (which is the sum of a b for every output pixel),

       out[i, j] = floor((sum over r, c of a(i, r) b(j, c) in[r, c] + floor(total / 2)) / total)

   The sum stays below 2^32, so C may use ``uint32_t``, while ``h w <= 2^24``.

Event cameras give no images. With ``channels="polarity"`` the network receives frames that are counted from
events, ``uint8 [frames, 2, height, width]`` and one frame a time step, as ``toolchain.graph.events`` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import isqrt, prod
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.graph.events import POLARITIES, EventFrames

Channels = Literal["grey", "rgb", "as_is", "polarity"]
Crop = Literal["none", "centre_square"]
Pixels = NDArray[np.uint8]

MAX_SIDE = 4096
"""Largest height or width of a network's input, in pixels."""

# Working memory: pixels converted to float64 at a time, and elements of one block of overlap weights.
_BLOCK_PIXELS = 1 << 20
_BLOCK_WEIGHTS = 1 << 17


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before the network: crop, channel conversion, area resize.

    ``events``: how frames are counted from events, if ``channels`` is ``polarity``; None for images.

    Raises ``InputError`` when a field is not one of the permitted values.
    """

    height: int
    width: int
    channels: Channels
    crop: Crop = "none"
    events: EventFrames | None = None

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            side = getattr(self, name)
            if type(side) is not int or not 1 <= side <= MAX_SIDE:
                raise InputError(
                    f"preprocessing: {name} must be a whole number from 1 to {MAX_SIDE}, not {side!r:.40}"
                )
        for name, permitted in (("channels", get_args(Channels)), ("crop", get_args(Crop))):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in permitted:
                raise InputError(
                    f"preprocessing: {name} must be one of {', '.join(permitted)}, not {value!r:.40}"
                )

        if (self.events is None) == (self.channels == "polarity") or self.events and self.crop != "none":
            raise InputError(
                "preprocessing: polarity stands for frames that are counted from events, which are not cropped"
            )

    @property
    def frames(self) -> int:
        """Frames of a sample; 1 is the same pixels in every time step."""
        return 1 if self.events is None else self.events.frames

    @property
    def planes(self) -> int | None:
        """Channels of the network's pixels; None if any number is kept."""
        return {"grey": 1, "rgb": 3, "polarity": POLARITIES}.get(self.channels)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values; images have no word on events."""
        document = asdict(self)
        if self.events is None:
            del document["events"]
        return document

    @classmethod
    def from_dict(cls, document: Any) -> Preprocessing:
        """Read what ``to_dict`` wrote; raises ``InputError`` for missing, unknown or wrong fields."""
        if not isinstance(document, Mapping):
            raise InputError(f"preprocessing must be a table of fields, not {type(document).__name__}")
        known = {"height", "width", "channels", "crop", "events"}
        if missing := sorted(known - {"crop", "events"} - document.keys()):
            raise InputError(f"preprocessing lacks {', '.join(missing)}")
        if unknown := sorted(str(key)[:40] for key in document.keys() - known):
            raise InputError(f"preprocessing has unknown fields: {', '.join(unknown[:5])}")
        if document.get("events") is None:
            return cls(**document)
        return cls(**{**document, "events": EventFrames.from_dict(document["events"])})

    def apply(self, image: Pixels) -> Pixels:
        """One image, uint8 [H, W], [H, W, 3] or (as_is) [C, H, W], to uint8 [C, height, width].

        Raises ``InputError`` for any other type or shape.
        """
        result: Pixels = self.apply_batch(image[np.newaxis])[0]
        return result

    def apply_batch(self, images: Pixels) -> Pixels:
        """Images of one size, [N, H, W], [N, H, W, 3] or (as_is) [N, C, H, W], to [N, C, height, width].

        Working memory is bounded whatever N is. Raises ``InputError`` for any other type or shape.
        """
        planes = self._cropped(self._planes(images))
        to_grey = self.channels == "grey" and planes.shape[1] == 3
        channels = self.planes or planes.shape[1]
        result = np.empty((len(planes), channels, self.height, self.width), np.uint8)
        step = max(1, _BLOCK_PIXELS // prod(planes.shape[1:]))
        for first in range(0, len(planes), step):
            chunk = planes[first : first + step]
            if to_grey:
                chunk = luma(chunk)
            # A grey image broadcasts into the three planes of an rgb result.
            result[first : first + step] = area_resize(chunk, self.height, self.width)
        return result

    def _planes(self, images: Pixels) -> Pixels:
        """The images as ``[N, C, H, W]``, without copying."""
        wanted = "[C, H, W]" if self.channels == "as_is" else "[H, W, 3]"
        if self.events is not None:
            raise InputError("the network takes frames of events, into which images cannot be converted")
        if images.dtype != np.uint8:
            raise InputError(f"images must hold uint8 pixels, not {images.dtype}")
        if images.ndim not in (3, 4) or 0 in images.shape[1:]:
            raise InputError(f"an image must have the shape [H, W] or {wanted}, not {list(images.shape[1:])}")
        if images.ndim == 3:
            return images[:, np.newaxis]
        if self.channels == "as_is":
            return images
        if images.shape[3] != 3:
            raise InputError(
                f"channels={self.channels} takes images of shape [H, W] or [H, W, 3], "
                f"not {list(images.shape[1:])}; use channels=as_is for other planes"
            )
        return np.moveaxis(images, 3, 1)

    def _cropped(self, planes: Pixels) -> Pixels:
        if self.crop == "none":
            return planes
        height, width = planes.shape[2:]
        side = min(height, width)
        top, left = (height - side) >> 1, (width - side) >> 1
        return planes[:, :, top : top + side, left : left + side]


def luma(planes: Pixels) -> Pixels:
    """Red, green and blue planes [N, 3, H, W] to grey [N, 1, H, W]: (77 R + 150 G + 29 B + 128) >> 8."""
    red, green, blue = (planes[:, channel].astype(np.uint16) for channel in range(3))
    grey: Pixels = ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)
    return np.expand_dims(grey, 1)


def area_resize(planes: Pixels, height: int, width: int) -> Pixels:
    """Resize uint8 [N, C, h, w] to [N, C, height, width] by the equation at the top of this module."""
    source_height, source_width = planes.shape[2:]
    if (source_height, source_width) == (height, width):
        return planes
    by_rows = _overlap_sums(planes, height)
    sums = _overlap_sums(by_rows.swapaxes(2, 3), width).swapaxes(2, 3)
    total = source_height * source_width
    return ((sums.astype(np.int64) + total // 2) // total).astype(np.uint8)


def _overlap_sums(planes: NDArray[Any], target: int) -> NDArray[np.float64]:
    """Sums over rows weighted by overlap, [N, C, h, w] to [N, C, target, w].

    Integers below 2^53 are exact in float64 in whatever order they are added, and float64 products are
    the ones that numpy hands to BLAS.
    """
    *outer, length, width = planes.shape
    result = np.empty((*outer, target, width), np.float64)
    source_rows = max(1, _BLOCK_PIXELS // (prod(outer) * width))
    step = max(1, min(source_rows * target // length, isqrt(_BLOCK_WEIGHTS * target // length)))
    for first in range(0, target, step):
        last = min(first + step, target)
        weights = _overlaps(length, target, first, last)
        start = first * length // target
        block = planes[:, :, start : start + weights.shape[1]].astype(np.float64)
        np.matmul(weights, block, out=result[:, :, first:last])
    return result


@lru_cache(maxsize=64)
def _overlaps(length: int, target: int, first: int, last: int) -> NDArray[np.float64]:
    """a(i, r) for output rows ``first <= i < last`` and the input rows that they touch."""
    out = np.arange(first, last, dtype=np.int64)[:, np.newaxis]
    rows = np.arange(first * length // target, -(-last * length // target), dtype=np.int64)
    upper = np.minimum((out + 1) * length, (rows + 1) * target)
    lower = np.maximum(out * length, rows * target)
    overlaps: NDArray[np.float64] = np.maximum(0, upper - lower).astype(np.float64)
    return overlaps
