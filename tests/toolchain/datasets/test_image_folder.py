"""Folder layouts, colours and sizes, and what is wrong with a folder."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.toolchain.datasets.writers import image_files, png, sample, write_folder, write_zip
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Preprocessing

GREY = png(np.full((4, 5), 9, np.uint8))
COLOUR = png(np.full((4, 5, 3), 9, np.uint8))


def layout(*folders, count=3, content=GREY):
    return {f"{folder}/{index}.png": content for folder in folders for index in range(count)}


@pytest.fixture(params=["folder", "zip"])
def make(request, tmp_path):
    """Writes files as a folder or as an archive and returns its path."""
    if request.param == "folder":
        return lambda files: write_folder(tmp_path / "set", files)
    return lambda files: write_zip(tmp_path / "set.zip", files)


def sizes(dataset):
    return [len(subset) for subset in (dataset.train, dataset.validation, dataset.test)]


def test_three_splits_are_kept(make):
    files = (
        layout("train/a", "train/b") | layout("val/a", "val/b", count=2) | layout("test/a", "test/b", count=1)
    )
    assert sizes(load(make(files))) == [6, 4, 2]


def test_classes_may_be_called_train_and_test(make):
    dataset = load(make(layout("train", "car", "test")))
    assert dataset.labels == ("car", "test", "train")


def test_images_may_lie_deeper_in_any_case_beside_other_files(make):
    files = layout("a/x/y", "a/z", "b") | {
        "a/UPPER.PNG": GREY,
        "b/notes.txt": b"",
        "cover.png": GREY,
        "list.csv": b"",
    }
    dataset = load(make(files))
    assert sum(sizes(dataset)) == 7 + 3


def test_hidden_files_are_ignored(make):
    hidden = {".git/x/0.png": b"", "a/.thumb.png": b"", "__MACOSX/a/._0.png": b"", "a/.DS_Store": b""}
    assert sum(sizes(load(make(layout("a", "b") | hidden)))) == 6


def test_grey_stays_grey_and_one_colour_image_makes_it_rgb(make):
    assert load(make(layout("a", "b"))).preprocessing == Preprocessing(4, 5, "grey")


def test_mixed_colours(make):
    dataset = load(make(layout("a", "b") | {"b/9.png": COLOUR}))
    assert dataset.preprocessing.channels == "rgb"
    assert (dataset.train.images == 9).all() and dataset.train.images.shape[1:] == (3, 4, 5)


def test_colour_images_may_be_taken_as_grey(tmp_path):
    images, labels = sample(shape=(6, 5, 3))
    dataset = load(write_folder(tmp_path / "set", image_files(images, labels)), channels="grey")
    expected = Preprocessing(6, 5, "grey").apply_batch(images)
    together = [
        image.tobytes() for s in (dataset.train, dataset.validation, dataset.test) for image in s.images
    ]
    assert sorted(together) == sorted(image.tobytes() for image in expected)


def test_various_sizes_need_one_to_be_named(make):
    path = make(layout("a", "b") | {"b/7.png": png(np.zeros((6, 5), np.uint8))})
    with pytest.raises(InputError, match=r"various sizes .* is 4x5, .*b/7.png is 6x5\); .* --size 32"):
        load(path)
    assert load(path, size=4).preprocessing == Preprocessing(4, 4, "grey")


def test_a_centre_square_of_the_images_own_size(make):
    assert load(make(layout("a", "b")), crop="centre_square").train.images.shape[1:] == (1, 4, 4)


@pytest.mark.parametrize("kind", ["jpg", "jpeg", "bmp", "gif", "png"])
def test_every_kind_is_decoded(kind, tmp_path):
    files = {}
    for name, level in (("dark", 0), ("light", 255)):
        path = tmp_path / f"{name}.{kind}"
        Image.fromarray(np.full((8, 8), level, np.uint8)).save(path)
        files |= {f"{name}/{index}.{kind}": path.read_bytes() for index in range(3)}
    dataset = load(write_folder(tmp_path / "set", files), channels="grey")
    np.testing.assert_array_equal(dataset.train.images[:, 0, 0, 0], 255 * dataset.train.targets)


def test_many_images_keep_their_order_across_threads(tmp_path):
    levels = np.arange(600) % 256
    images = np.broadcast_to(levels[:, None, None], (600, 2, 2)).astype(np.uint8)
    files = {f"{index % 2}/{index:04}.png": png(image) for index, image in enumerate(images)}
    dataset = load(write_folder(tmp_path / "set", files))
    np.testing.assert_array_equal(dataset.train.images[:, 0, 0, 0] % 2, dataset.train.targets)
    for subset in (dataset.train, dataset.validation, dataset.test):
        for target in (0, 1):
            order = subset.images[subset.targets == target, 0, 0, 0].astype(int)
            assert (np.diff(order) % 256 <= 128).all()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"readme.txt": b""}, "holds no images"),
        ({"a.png": GREY, "b.png": GREY}, "no class folders"),
        (layout("only"), "1 class; at least 2"),
        (layout("a", "b") | {"c/notes.txt": b""}, "class folder .*c holds no images"),
        (
            layout("train/a", "train/b", "test/a", "test/c"),
            "test/c is a class without a folder among train's",
        ),
        (layout("train/a", "train/b", "train/c", "test/a") | {"test/b/x.txt": b""}, "test/b holds no images"),
        (layout("train/a", "train/b") | {"test/x.txt": b""}, "test holds no images"),
        (layout("test/a", "test/b", "val/a", "val/b"), "no train folder"),
        (layout("train/a", "train/b", "Train/a", "Train/b"), "two train folders"),
        (layout("a", "b") | {"b/x.webp": b""}, r"b/x.webp is of a kind that is not read"),
        (layout("a", "b") | {"b/5.png": b"not an image"}, r"cannot decode the image .*b/5.png"),
        (layout("a", "b") | {"b/5.png": GREY[:-20]}, r"cannot decode the image .*b/5.png"),
        (layout("a", "b") | {"b/5.png": b""}, r"cannot decode the image .*b/5.png"),
        (layout("a", "b\n"), "not printable"),
        (layout(*(f"c{index}" for index in range(1001)), count=1), "1,001 classes; at most 1,000"),
    ],
)
def test_what_is_wrong_is_named(make, files, words):
    with pytest.raises(InputError, match=words):
        load(make(files))
    assert "\n" not in str(pytest.raises(InputError, load, make(files)).value)


def test_a_damaged_image_is_found_even_when_its_header_is_not_needed(make):
    with pytest.raises(InputError, match=r"cannot decode the image .*b/5.png"):
        load(make(layout("a", "b") | {"b/5.png": GREY[:-20]}), size=4, channels="grey")


def test_image_files_have_no_planes_to_take_as_they_are(make):
    with pytest.raises(InputError, match="grey or rgb"):
        load(make(layout("a", "b")), channels="as_is")


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        load(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder(tmp_path):
    path = write_folder(tmp_path / "set", layout("a", "b"))
    (path / "a").chmod(0)
    try:
        with pytest.raises(InputError, match="cannot list the folder"):
            load(path)
    finally:
        (path / "a").chmod(0o755)
