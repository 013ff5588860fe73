"""A regression: ``.npz`` files with floating-point targets, from the file to the three subsets."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.datasets import load
from toolchain.datasets.dataset import Scale
from toolchain.errors import InputError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (50, 6, 8), np.uint8)
# Pixel [0, 0] tells the numbers, so that an image and its targets can be held together.
TARGETS = np.stack([IMAGES[:, 0, 0] / 64 - 2.0, 1000.0 - IMAGES[:, 0, 0]], 1)


def save(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


@pytest.mark.parametrize("form", [np.float16, np.float32, np.float64])
def test_every_image_keeps_its_numbers(form, tmp_path):
    dataset = load(save(tmp_path, images=IMAGES, targets=TARGETS.astype(form)))
    assert dataset.task == "regression" and dataset.labels == ("output0", "output1")
    assert [len(each) for each in (dataset.train, dataset.validation, dataset.test)] == [36, 4, 10]
    for subset in (dataset.train, dataset.validation, dataset.test):
        assert subset.targets.dtype == np.float32 and subset.targets.shape == (len(subset), 2)
        first = subset.images[:, 0, 0, 0].astype(np.float64)
        np.testing.assert_allclose(subset.targets[:, 0], first / 64 - 2, atol=0.01)
        np.testing.assert_allclose(subset.targets[:, 1], 1000 - first, atol=0.5)
    assert dataset.scales == tuple(map(Scale.of, dataset.train.targets.T))


def test_one_number_may_be_a_plain_list_and_have_a_name(tmp_path):
    plain = load(save(tmp_path, images=IMAGES, targets=TARGETS[:, 0], labels=np.array(["steering"])))
    assert plain.labels == ("steering",) and plain.train.targets.shape == (36, 1)
    column = load(save(tmp_path, images=IMAGES, targets=TARGETS[:, :1], labels=np.array("steering")))
    assert column.sha256 == plain.sha256
    renamed = load(save(tmp_path, images=IMAGES, targets=TARGETS[:, 0]))
    changed = TARGETS[:, 0].copy()
    changed[7] += 0.01
    assert (
        len({each.sha256 for each in (plain, renamed, load(save(tmp_path, images=IMAGES, targets=changed)))})
        == 3
    )


def test_the_test_set_limit_and_seed_are_as_for_classes(tmp_path):
    path = save(tmp_path, images=IMAGES, targets=TARGETS, test_images=IMAGES[:7], test_targets=TARGETS[:7])
    dataset = load(path)
    np.testing.assert_array_equal(dataset.test.images[:, 0], IMAGES[:7])
    np.testing.assert_allclose(dataset.test.targets, TARGETS[:7])
    assert len(dataset.train) == 45 and dataset.sha256 == load(path).sha256 != load(path, seed=1).sha256
    limited = load(path, limit=10)
    assert [len(each) for each in (limited.train, limited.validation, limited.test)] == [9, 1, 7]
    with pytest.raises(InputError, match="--limit 1 is too few: at least 2 images are needed"):
        load(path, limit=1)


def broken(value, place=(3, 0)):
    targets = TARGETS.copy()
    targets[place] = value
    return targets


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"targets": broken(np.nan)}, "targets of image 3 is not finite"),
        ({"targets": broken(1e300)}, "targets of image 3 is not finite in float32"),
        ({"targets": TARGETS[:-1]}, "50 images but 49 targets"),
        ({"targets": np.arange(50)}, "targets is int64 .* or whole numbers of classes as labels"),
        ({"targets": TARGETS.reshape(50, 2, 1)}, "save floating point"),
        ({"targets": np.zeros((50, 0))}, "save floating point"),
        ({"targets": np.zeros((50, 65))}, "has 65 numbers an image; at most 64"),
        (
            {"targets": np.ones((50, 1))},
            "number 'output0' is the same for all images to train with; leave it out",
        ),
        ({"targets": TARGETS + 1e7}, "subtract its mean, or take another unit"),
        ({"targets": TARGETS[:, :1] * 1e-12}, "varies by .* take another unit"),
        ({"targets": TARGETS, "labels": np.array(["a"])}, "a different string for each of the 2 numbers"),
        ({"targets": TARGETS, "labels": np.array(["a", "a"])}, "a different string"),
        ({"targets": TARGETS, "labels": np.arange(2)}, "a different string"),
        ({"targets": TARGETS, "labels": np.array(["a", "b\n"])}, "number name .* not printable"),
        ({"targets": TARGETS, "test_images": IMAGES}, "must hold both test_images and test_targets"),
        (
            {"targets": TARGETS, "test_images": IMAGES, "test_targets": TARGETS[:, :1]},
            "differ in how many numbers",
        ),
        ({"labels": TARGETS[:, 0]}, "labels is float64 .* numbers to be told are called targets"),
    ],
)
def test_what_cannot_be_learnt_is_refused(arrays, words, tmp_path):
    with pytest.raises(InputError, match=words) as caught:
        load(save(tmp_path, images=IMAGES, **arrays))
    assert "\n" not in str(caught.value)


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="the data set has 2 images to train with; at least 3"):
        load(save(tmp_path, images=IMAGES[:2], targets=TARGETS[:2]))
