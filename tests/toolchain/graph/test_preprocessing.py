"""The integer definition of crop, grey and resize against slow rational arithmetic and against Pillow."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from toolchain.errors import InputError
from toolchain.graph import preprocessing
from toolchain.graph.preprocessing import Preprocessing

sides = st.integers(1, 13)


def rational_resize(plane, height, width):
    """Mean over the rectangle that an output pixel covers, in exact fractions, rounded half up."""
    source_height, source_width = plane.shape

    def cover(index, length, target):
        start, end = Fraction(index * length, target), Fraction((index + 1) * length, target)
        return [(cell, min(end, cell + 1) - max(start, cell)) for cell in range(floor(start), -floor(-end))]

    result = np.zeros((height, width), np.uint8)
    for i in range(height):
        for j in range(width):
            rows, columns = cover(i, source_height, height), cover(j, source_width, width)
            area = Fraction(source_height * source_width, height * width)
            total = sum(a * b * int(plane[r, c]) for r, a in rows for c, b in columns)
            result[i, j] = floor(total / area + Fraction(1, 2))
    return result


@settings(max_examples=150, deadline=None)
@given(st.data(), sides, sides, sides, sides)
def test_resize_is_the_rounded_rational_mean(data, source_height, source_width, height, width):
    plane = data.draw(arrays(np.uint8, (source_height, source_width)))
    resized = Preprocessing(height, width, "grey").apply(plane)
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized[0], rational_resize(plane, height, width))


@settings(max_examples=60, deadline=None)
@given(st.data(), sides, sides, st.integers(1, 5), st.integers(1, 5))
def test_whole_ratios_agree_with_pillow_box_filter(data, height, width, down, across):
    plane = data.draw(arrays(np.uint8, (height * down, width * across)))
    ours = Preprocessing(height, width, "grey").apply(plane)[0].astype(int)
    theirs = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BOX)).astype(int)
    assert np.abs(ours - theirs).max() <= 1


def test_resize_by_hand():
    # Three pixels to two: each output covers one and a half, (2 * 10 + 1 * 20) / 3 and (1 * 20 + 2 * 31) / 3.
    plane = np.array([[10, 20, 31]], np.uint8)
    assert Preprocessing(1, 2, "grey").apply(plane).tolist() == [[[13, 27]]]
    # Halves round up: (0 + 1) / 2 -> 1.
    assert Preprocessing(1, 1, "grey").apply(np.array([[0, 1]], np.uint8)).tolist() == [[[1]]]
    # Doubling repeats.
    assert Preprocessing(2, 4, "grey").apply(np.array([[7, 9]], np.uint8)).tolist() == [[[7, 7, 9, 9]] * 2]


def test_sums_are_those_of_uint32_arithmetic_up_to_the_documented_bound():
    white = np.full((4096, 4096), 255, np.uint8)
    assert 255 * white.size + white.size // 2 < 2**32
    assert (Preprocessing(3, 5, "grey").apply(white) == 255).all()


@pytest.mark.parametrize(("missing", "expected"), [(0, 101), (1, 100)])
def test_one_level_in_a_million_pixels_decides_the_rounding(missing, expected):
    # 500,000 of 1,000,000 pixels at 101 and the others at 100 are 100.5; a single precision sum cannot tell.
    image = np.full(1_000_000, 100, np.uint8)
    image[: 500_000 - missing] = 101
    image = np.random.default_rng(0).permutation(image).reshape(1000, 1000)
    assert Preprocessing(1, 1, "grey").apply(image).item() == expected


@pytest.mark.parametrize("block", [1, 7, 64])
def test_working_in_blocks_changes_nothing(monkeypatch, block):
    images = np.random.default_rng(0).integers(0, 256, (5, 31, 17, 3), np.uint8)
    whole = Preprocessing(9, 40, "rgb").apply_batch(images)
    monkeypatch.setattr(preprocessing, "_BLOCK_PIXELS", block)
    monkeypatch.setattr(preprocessing, "_BLOCK_WEIGHTS", block)
    np.testing.assert_array_equal(Preprocessing(9, 40, "rgb").apply_batch(images), whole)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_grey_is_bt601_in_eight_bits(red, green, blue):
    grey = Preprocessing(1, 1, "grey").apply(np.array([[[red, green, blue]]], np.uint8)).item()
    assert grey == (77 * red + 150 * green + 29 * blue + 128) >> 8
    assert abs(grey - (0.299 * red + 0.587 * green + 0.114 * blue)) < 1.5


def test_grey_is_taken_before_resizing():
    # Lumas 0 and 1 have the mean 1 (rounded up); the mean colour (1, 0, 1) would have the luma 0.
    image = np.array([[[0, 0, 0], [1, 0, 2]]], np.uint8)
    assert Preprocessing(1, 2, "grey").apply(image).ravel().tolist() == [0, 1]
    assert Preprocessing(1, 1, "grey").apply(np.array([[[1, 0, 1]]], np.uint8)).item() == 0
    assert Preprocessing(1, 1, "grey").apply(image).item() == 1


def test_a_grey_image_is_repeated_in_rgb():
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(Preprocessing(3, 4, "rgb").apply(plane), np.stack([plane] * 3))


def test_interleaved_colour_becomes_planes_and_planes_stay():
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)
    np.testing.assert_array_equal(Preprocessing(4, 6, "rgb").apply(image), image.transpose(2, 0, 1))
    planes = np.random.default_rng(2).integers(0, 256, (5, 4, 6), np.uint8)
    np.testing.assert_array_equal(Preprocessing(4, 6, "as_is").apply(planes), planes)
    half = Preprocessing(2, 3, "as_is").apply(planes)
    np.testing.assert_array_equal(half[4], Preprocessing(2, 3, "grey").apply(planes[4])[0])


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(5, 8, slice(0, 5), slice(1, 6)), (8, 5, slice(1, 6), slice(0, 5)), (4, 4, slice(0, 4), slice(0, 4))],
)
@pytest.mark.parametrize("channels", ["grey", "rgb", "as_is"])
def test_centre_square_rounds_the_margin_down(height, width, rows, columns, channels):
    plane = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    image = np.stack([plane] * 3, axis=2)
    planes = np.stack([plane] * 3)
    side = min(height, width)
    cropped = Preprocessing(side, side, channels, "centre_square").apply(
        planes if channels == "as_is" else image
    )
    np.testing.assert_array_equal(cropped[0], plane[rows, columns])


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(["grey", "rgb", "as_is"]), st.sampled_from(["none", "centre_square"]))
def test_a_batch_is_its_images(data, channels, crop):
    shape = (2, 5, 6) if channels == "as_is" else (5, 6, 3)
    images = data.draw(arrays(np.uint8, (3, *shape)))
    steps = Preprocessing(4, 3, channels, crop)
    batch = steps.apply_batch(images)
    np.testing.assert_array_equal(batch, np.stack([steps.apply(image) for image in images]))
    assert batch.flags.c_contiguous and batch.shape == (3, {"grey": 1, "rgb": 3, "as_is": 2}[channels], 4, 3)


def test_an_empty_batch_stays_empty():
    assert Preprocessing(4, 3, "grey").apply_batch(np.zeros((0, 8, 8), np.uint8)).shape == (0, 1, 4, 3)


@pytest.mark.parametrize(
    ("image", "channels", "words"),
    [
        (np.zeros((4, 4), np.float32), "grey", "uint8"),
        (np.zeros(4, np.uint8), "grey", "shape"),
        (np.zeros((0, 4), np.uint8), "grey", "shape"),
        (np.zeros((3, 4, 4), np.uint8), "grey", "as_is"),
        (np.zeros((4, 4, 4), np.uint8), "rgb", "as_is"),
        (np.zeros((1, 2, 3, 4), np.uint8), "as_is", "shape"),
    ],
)
def test_other_images_are_refused(image, channels, words):
    with pytest.raises(InputError, match=words):
        Preprocessing(2, 2, channels).apply(image)


def test_fields_survive_json():
    steps = Preprocessing(28, 30, "rgb", "centre_square")
    assert steps.to_dict() == {"height": 28, "width": 30, "channels": "rgb", "crop": "centre_square"}
    assert Preprocessing.from_dict(steps.to_dict()) == steps
    assert Preprocessing.from_dict({"height": 1, "width": 4096, "channels": "grey"}).crop == "none"


GOOD = {"height": 8, "width": 8, "channels": "grey", "crop": "none"}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "grey",
        {},
        {**GOOD, "height": 0},
        {**GOOD, "height": -1},
        {**GOOD, "height": 4097},
        {**GOOD, "height": 10**30},
        {**GOOD, "width": True},
        {**GOOD, "width": 8.0},
        {**GOOD, "width": "8"},
        {**GOOD, "channels": "bgr"},
        {**GOOD, "channels": ["grey"]},
        {**GOOD, "crop": None},
        {**GOOD, "mean": 0.5},
        {**GOOD, 7: 0.5},
        {key: value for key, value in GOOD.items() if key != "width"},
    ],
)
def test_hostile_documents_are_refused(document):
    with pytest.raises(InputError, match="preprocessing"):
        Preprocessing.from_dict(document)
