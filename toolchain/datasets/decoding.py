"""Image files to pixels, through Pillow with its readers and sizes restricted.

The first frame of an animation is taken, transparency is dropped, and a photograph that says how the camera
was held (EXIF) is turned upright. Grey files of more than 8 bits are refused: which 8 of them carry the
picture is the user's to say.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from toolchain.datasets.limits import MAX_IMAGE_PIXELS
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
OTHER_SUFFIXES = (".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif", ".heic", ".tga")
"""Images too, but not read here: skipping them silently would train on less than the user thinks."""

_FORMATS = ("PNG", "JPEG", "BMP", "GIF")
_GREY_MODES = ("1", "L", "LA")
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)


def decode(name: str, data: bytes) -> Pixels:
    """The pixels of a file's content, uint8 [H, W] if it is grey and [H, W, 3] if it is not.

    Raises ``InputError`` with ``name`` if it cannot be decoded.
    """
    try:
        with _opened(name, data) as image:
            if _orientation(image) != 1:
                from PIL import ImageOps

                image = ImageOps.exif_transpose(image)
            return np.asarray(image.convert("L" if image.mode in _GREY_MODES else "RGB"))
    except InputError:
        raise
    except Exception as error:  # On damaged data Pillow's readers raise nearly any class.
        raise _unreadable(name, error) from error


def inspect(name: str, data: bytes) -> tuple[int, int, bool]:
    """Height, width and whether it is in colour, from the header alone; raises as ``decode`` does."""
    try:
        with _opened(name, data) as image:
            width, height = image.size
            if _orientation(image) in _SIDEWAYS:
                width, height = height, width
            return height, width, image.mode not in _GREY_MODES
    except InputError:
        raise
    except Exception as error:
        raise _unreadable(name, error) from error


def _opened(name: str, data: bytes) -> Image:
    from PIL import Image

    image = Image.open(BytesIO(data), formats=_FORMATS)
    width, height = image.size
    if width * height > MAX_IMAGE_PIXELS:
        raise InputError(
            f"{name} has {width:,} x {height:,} pixels; at most {MAX_IMAGE_PIXELS:,} are read; shrink it"
        )
    if image.mode.startswith(("I", "F")):
        raise InputError(f"{name} has more than 8 bits a pixel; convert it to 8 bits")
    return image


def _orientation(image: Image) -> int:
    # Parsing EXIF costs as much as decoding a small image: only where there is any.
    return int(image.getexif().get(_ORIENTATION, 1)) if "exif" in image.info else 1


def _unreadable(name: str, error: Exception) -> InputError:
    from PIL import UnidentifiedImageError

    detail = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        detail = "what it holds is no PNG, JPEG, BMP or GIF"  # PIL names the object in memory
    return InputError(f"cannot decode the image {name}: {detail}; replace or remove it")
