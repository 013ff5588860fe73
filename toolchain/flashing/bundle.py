"""Firmware files of PX4 (.px4) and ArduPilot (.apj): JSON around an image that is compressed with zlib, as base64.

Their makers document them in px_mkfw.py and generate_apj. Sizes are checked before anything is inflated.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Largest file that is read: parameters and airframes lie in it beside the image."""

MAX_IMAGE_BYTES = 16 * 1024 * 1024
"""Largest image that is inflated, whatever the file says: such boards have 2 MiB, and up to 16 MiB outside the chip."""


@dataclass(frozen=True)
class Bundle:
    """The image of a firmware file, and the number of the board that it is for."""

    image: bytes
    board: int


def read_bundle(path: Path) -> Bundle:
    """Read and check ``path``; raises ``InputError`` if it is broken, too large, or not whole."""
    try:
        document = json.loads(read_bytes(path, MAX_FILE_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no firmware file (.px4 and .apj are JSON): {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is no firmware file: it holds no JSON object; build the firmware again")
    size, board = (_number(document, key, path) for key in ("image_size", "board_id"))
    if document.get("extf_image_size") not in (None, 0):
        raise InputError(
            f"{path} has an image for outer flash too, which is not written here; build for the chip's own flash"
        )
    if not 0 < size <= MAX_IMAGE_BYTES:
        raise InputError(f"{path} claims an image of {size} bytes; up to {MAX_IMAGE_BYTES} are written")
    return Bundle(_inflated(document.get("image"), size, path), board)


def _number(document: dict[str, object], key: str, path: Path) -> int:
    value = document.get(key)
    if type(value) is not int or not 0 <= value < 2**32:
        raise InputError(f"{path} is no firmware file: {key} is {value!r:.40}; build the firmware again")
    return value


def _inflated(text: object, size: int, path: Path) -> bytes:
    if not isinstance(text, str):
        raise InputError(f"{path} is no firmware file: it has no image; build the firmware again")
    try:
        stream = zlib.decompressobj()
        image = stream.decompress(base64.b64decode(text, validate=True), size)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(f"{path} has a damaged image ({error}); build the firmware again") from error
    if len(image) != size or more or not stream.eof:
        raise InputError(
            f"{path} says image_size {size}, and its image has another; build the firmware again"
        )
    return image
