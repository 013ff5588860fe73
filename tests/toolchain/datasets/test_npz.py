"""numpy archives: planes, labels, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toolchain.datasets.writers import sample, write_npz
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Preprocessing

IMAGES, LABELS = sample()


def save(path, **arrays):
    np.savez(path / "set.npz", **arrays)
    return path / "set.npz"


@pytest.mark.parametrize("channels", [2, 3, 7])
def test_planes_are_kept_as_they_are(channels, tmp_path):
    planes = np.random.default_rng(0).integers(0, 256, (30, channels, 6, 8), np.uint8)
    dataset = load(write_npz(tmp_path / "set.npz", (planes, LABELS)))
    assert dataset.preprocessing == Preprocessing(6, 8, "as_is")
    together = [
        image.tobytes() for s in (dataset.train, dataset.validation, dataset.test) for image in s.images
    ]
    assert sorted(together) == sorted(image.tobytes() for image in planes)


@pytest.mark.parametrize("channels", ["rgb", "grey"])
def test_three_planes_may_be_said_to_be_colours(channels, tmp_path):
    planes = np.random.default_rng(0).integers(0, 256, (30, 3, 6, 8), np.uint8)
    dataset = load(write_npz(tmp_path / "set.npz", (planes, LABELS)), channels=channels)
    expected = dataset.preprocessing.apply_batch(planes.transpose(0, 2, 3, 1))
    together = [
        image.tobytes() for s in (dataset.train, dataset.validation, dataset.test) for image in s.images
    ]
    assert sorted(together) == sorted(image.tobytes() for image in expected)


def test_two_planes_are_not_a_colour(tmp_path):
    planes = np.zeros((30, 2, 6, 8), np.uint8)
    with pytest.raises(InputError, match="2 channels, which do not convert to grey"):
        load(write_npz(tmp_path / "set.npz", (planes, LABELS)), channels="grey")


def test_classes_are_the_distinct_labels_in_order(tmp_path):
    dataset = load(save(tmp_path, images=IMAGES, labels=LABELS * 5 - 5))
    assert dataset.labels == ("-5", "0", "5")
    np.testing.assert_array_equal(dataset.train.images[:, 0, 0, 0], 100 * dataset.train.targets)
    names = np.array(["bee", "ant", "fly"])[LABELS]
    dataset = load(save(tmp_path, images=IMAGES, labels=names))
    assert dataset.labels == ("ant", "bee", "fly")
    level = np.array([100, 0, 200])
    np.testing.assert_array_equal(dataset.train.images[:, 0, 0, 0], level[dataset.train.targets])


def test_fortran_order_and_other_arrays_do_no_harm(tmp_path):
    plain = load(save(tmp_path, images=IMAGES, labels=LABELS)).sha256
    other = save(tmp_path, images=np.asfortranarray(IMAGES), labels=LABELS.astype(">i2"), extra=np.zeros(3))
    assert load(other).sha256 == plain


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": IMAGES, "y": LABELS}, "must hold both images and labels; it holds x, y"),
        ({"images": IMAGES}, "must hold both images and labels"),
        ({"images": IMAGES, "labels": LABELS, "test_images": IMAGES}, "both test_images and test_labels"),
        ({"images": IMAGES / 255, "labels": LABELS}, "float64; save pixels of 0 to 255 as uint8"),
        ({"images": IMAGES[0], "labels": LABELS}, r"must be \[N, H, W\]"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"must be \[N, H, W\]"),
        ({"images": np.zeros((30, 65, 4, 4), np.uint8), "labels": LABELS}, "up to 64 channels"),
        ({"images": np.zeros((30, 65, 65, 3), np.uint8), "labels": LABELS}, "transpose the axes"),
        ({"images": IMAGES, "labels": LABELS[1:]}, "30 images but 29 labels"),
        ({"images": IMAGES, "labels": LABELS / 2}, "one number or string per image"),
        ({"images": IMAGES, "labels": np.eye(3, dtype=int)[LABELS]}, "one number or string per image"),
        (
            {"images": IMAGES, "labels": LABELS, "test_images": IMAGES, "test_labels": LABELS + 1},
            "test_labels has '3', which no training image has",
        ),
        (
            {
                "images": IMAGES,
                "labels": LABELS,
                "test_images": np.zeros((30, 3, 12, 9), np.uint8),
                "test_labels": LABELS,
            },
            "differ in their channels",
        ),
        (
            {
                "images": IMAGES,
                "labels": LABELS,
                "test_images": IMAGES[:, 1:],
                "test_labels": LABELS,
            },
            "various sizes",
        ),
    ],
)
def test_what_is_wrong_is_named(arrays, words, tmp_path):
    with pytest.raises(InputError, match=words):
        load(save(tmp_path, **arrays))
