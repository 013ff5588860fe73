from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from toolchain.reporting.pictures import MOST_PIXELS, data_uri


def opened(uri: str) -> Image.Image:
    kind, content = uri.split(",", 1)
    assert kind == "data:image/png;base64"
    return Image.open(BytesIO(base64.b64decode(content)))


def test_a_grey_sample_keeps_its_pixels() -> None:
    sample = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert (np.asarray(opened(data_uri(sample))) == sample[0]).all()


def test_three_planes_are_colours() -> None:
    sample = np.arange(36, dtype=np.uint8).reshape(3, 3, 4)
    assert (np.asarray(opened(data_uri(sample))) == sample.transpose(1, 2, 0)).all()


def test_polarities_have_colours_of_their_own_and_frames_are_laid_over_each_other() -> None:
    sample = np.zeros((4, 2, 3, 3), np.uint8)
    sample[0, 0, 0, 0] = sample[3, 1, 2, 2] = 5
    pixels = np.asarray(opened(data_uri(sample)))
    assert pixels[0, 0].tolist() == [0, 127, 255] and pixels[2, 2].tolist() == [255, 127, 0]
    assert not pixels[1].any()


@pytest.mark.parametrize("planes", [1, 2, 3, 5])
def test_large_samples_are_shrunk(planes: int) -> None:
    picture = opened(data_uri(np.full((planes, 200, 400), 9, np.uint8)))
    assert picture.size == (MOST_PIXELS, MOST_PIXELS // 2)
