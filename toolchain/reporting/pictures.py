"""A sample as a small PNG in a data URI."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_PIXELS = 96
"""Longest side of a picture; larger samples are shrunk."""


def data_uri(sample: NDArray[np.uint8]) -> str:
    """``sample`` uint8 [C, H, W], or frames [T, C, H, W], as a data URI of a PNG with sides of at most ``MOST_PIXELS``.

    One plane is grey and three are red, green and blue; two are the polarities of events, orange and blue. Of other
    planes the first is shown, and of frames the brightest value of each pixel.
    """
    planes = sample.max(axis=0) if sample.ndim == 4 else sample
    picture = Image.fromarray(_pixels(planes))
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.BOX)
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _pixels(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(planes) == 3:
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    if len(planes) == 2:
        # Counts are small numbers; stretched, so that the largest is bright.
        peak = max(1, int(planes.max()))
        off, on = (planes.astype(np.int64) * 255 // peak).astype(np.uint8)
        return np.stack([on, np.maximum(on // 2, off // 2), off], axis=2)
    return np.ascontiguousarray(planes[0])
