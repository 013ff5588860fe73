"""Modes, orientation and refusals of single image files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from toolchain.datasets import decoding
from toolchain.datasets.decoding import decode, inspect
from toolchain.errors import InputError


def encoded(image, kind="png", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


RAMP = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


@pytest.mark.parametrize(
    ("mode", "colour"),
    [("1", False), ("L", False), ("LA", False), ("P", True), ("RGB", True), ("RGBA", True)],
)
def test_modes(mode, colour):
    data = encoded(Image.fromarray(RAMP).convert(mode))
    assert inspect("x", data) == (4, 6, colour)
    assert decode("x", data).shape == ((4, 6, 3) if colour else (4, 6))


def test_pixels_are_unchanged():
    np.testing.assert_array_equal(decode("x", encoded(Image.fromarray(RAMP))), RAMP)
    colour = np.stack([RAMP, RAMP + 1, RAMP + 2], axis=2)
    np.testing.assert_array_equal(decode("x", encoded(Image.fromarray(colour))), colour)


def test_transparency_is_dropped_and_not_blended():
    image = np.dstack([RAMP, RAMP, RAMP, np.zeros_like(RAMP)])
    np.testing.assert_array_equal(decode("x", encoded(Image.fromarray(image)))[..., 0], RAMP)


def test_the_first_frame_of_an_animation():
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (0, 255)]
    data = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert (decode("x", data) == 0).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(orientation):
    # Made by undoing what the orientation asks for, so that a right reader gives the ramp back.
    undone = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.T,
        6: np.rot90(RAMP, 1),
        7: RAMP[::-1, ::-1].T,
        8: np.rot90(RAMP, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(undone)), exif=exif)
    assert inspect("x", data) == (4, 6, False)
    np.testing.assert_array_equal(decode("x", data), RAMP)


@pytest.mark.parametrize("read", [decode, inspect])
def test_refusals(read, monkeypatch):
    with pytest.raises(InputError, match="x.png has more than 8 bits"):
        read("x.png", encoded(Image.fromarray(RAMP.astype(np.uint16) * 256)))
    with pytest.raises(
        InputError, match="cannot decode the image x.png: what it holds is no PNG, JPEG, BMP or GIF;"
    ):
        read("x.png", encoded(Image.fromarray(RAMP), "tiff"))
    monkeypatch.setattr(decoding, "MAX_IMAGE_PIXELS", 23)
    with pytest.raises(InputError, match="x.png has 6 x 4 pixels; at most 23"):
        read("x.png", encoded(Image.fromarray(RAMP)))
