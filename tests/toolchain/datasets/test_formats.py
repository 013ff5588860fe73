"""What holds for every format: the same images in any of them give the same data set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toolchain.datasets.writers import CLASSES, WITH_TEST, WITHOUT_SPLIT, sample
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Preprocessing

without_split = pytest.mark.parametrize("write", WITHOUT_SPLIT.values(), ids=WITHOUT_SPLIT)
with_test = pytest.mark.parametrize("write", WITH_TEST.values(), ids=WITH_TEST)


def subsets(dataset):
    return dataset.train, dataset.validation, dataset.test


def as_set(images):
    return {image.tobytes() for image in images}


@without_split
def test_every_image_is_in_one_subset_with_its_class(write, tmp_path):
    images, labels = sample()
    dataset = load(write(tmp_path, (images, labels)))
    assert dataset.name == "set" and dataset.labels == CLASSES and not dataset.is_demonstration
    assert dataset.preprocessing == Preprocessing(12, 9, "grey")
    assert [len(subset) for subset in subsets(dataset)] == [21, 3, 6]
    together = np.concatenate([subset.images for subset in subsets(dataset)])
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in images)
    for subset in subsets(dataset):
        assert subset.images.dtype == np.uint8 and subset.images.flags.c_contiguous
        assert subset.targets.dtype == np.int64
        assert subset.images.shape == (len(subset.targets), 1, 12, 9)
        np.testing.assert_array_equal(subset.images[:, 0, 0, 0], 100 * subset.targets)
        assert len(set(np.bincount(subset.targets).tolist())) == 1


@with_test
def test_the_source_s_test_set_is_kept(write, tmp_path):
    train, test = sample(seed=0), sample(per_class=4, seed=1)
    dataset = load(write(tmp_path, train, test))
    np.testing.assert_array_equal(dataset.test.images[:, 0], test[0])
    np.testing.assert_array_equal(dataset.test.targets, test[1])
    assert [len(subset) for subset in subsets(dataset)] == [27, 3, 12]
    assert as_set(dataset.train.images) | as_set(dataset.validation.images) == as_set(train[0])


def test_all_formats_agree(tmp_path):
    train, test = sample(seed=0), sample(per_class=4, seed=1)
    alone, split = set(), set()
    for number, write in enumerate(WITHOUT_SPLIT.values()):
        (tmp_path / f"a{number}").mkdir()
        alone.add(load(write(tmp_path / f"a{number}", train), size=(5, 7)).sha256)
    for number, with_split in enumerate(WITH_TEST.values()):
        (tmp_path / f"b{number}").mkdir()
        split.add(load(with_split(tmp_path / f"b{number}", train, test), size=(5, 7)).sha256)
    assert len(alone) == len(split) == 1 and alone != split


@without_split
def test_the_same_options_give_the_same_data_and_another_seed_another_split(write, tmp_path):
    path = write(tmp_path, sample())
    first, again, other = load(path), load(str(path)), load(path, seed=1)
    assert first.sha256 == again.sha256 != other.sha256
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert as_set(first.test.images) != as_set(other.test.images)


@without_split
def test_images_are_preprocessed_as_recorded(write, tmp_path):
    images, labels = sample()
    dataset = load(write(tmp_path, (images, labels)), size=(6, 7), channels="rgb", crop="centre_square")
    assert dataset.preprocessing == Preprocessing(6, 7, "rgb", "centre_square")
    expected = dataset.preprocessing.apply_batch(images)
    together = np.concatenate([subset.images for subset in subsets(dataset)])
    assert sorted(map(bytes, together)) == sorted(map(bytes, expected))


@with_test
def test_the_limit_holds_for_each_part_and_keeps_proportions(write, tmp_path):
    path = write(tmp_path, sample(seed=0), sample(per_class=4, seed=1))
    dataset = load(path, limit=9)
    assert [len(subset) for subset in subsets(dataset)] == [6, 3, 9]
    for subset in subsets(dataset):
        assert len(set(np.bincount(subset.targets).tolist())) == 1
    with pytest.raises(InputError, match="--limit 2 is too few for 3 classes"):
        load(path, limit=2)


@without_split
def test_too_few_images_of_a_class_are_refused(write, tmp_path):
    images, labels = sample()
    keep = np.array([index for index, label in enumerate(labels) if label != 1 or index in (10, 11)])
    with pytest.raises(InputError, match="class '1' has 2 images to train with; at least 3"):
        load(write(tmp_path, (images[keep], labels[keep])))


@without_split
def test_one_class_is_refused(write, tmp_path):
    images, labels = sample()
    with pytest.raises(InputError, match=r"at least 2 are needed"):
        load(write(tmp_path, (images[labels == 0], labels[labels == 0])))


@with_test
def test_a_class_that_only_the_test_set_has_is_refused(write, tmp_path):
    images, labels = sample()
    with pytest.raises(InputError):
        load(write(tmp_path, (images[labels < 2], labels[labels < 2]), (images, labels)))
