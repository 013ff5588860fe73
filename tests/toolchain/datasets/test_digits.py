"""The digits that the package carries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import toolchain.datasets
from toolchain.datasets import load
from toolchain.graph.preprocessing import Preprocessing

FOLDER = Path(toolchain.datasets.__file__).parent


def test_they_are_the_uci_test_set_in_seventeen_levels():
    with np.load(FOLDER / "digits.npz", allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    assert images.shape == (1797, 8, 8) and images.dtype == labels.dtype == np.uint8
    # Images of each digit in optdigits.names, "testing set".
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    counts = (images.astype(int) * 16 + 127) // 255
    np.testing.assert_array_equal((255 * counts + 8) // 16, images)
    # The first line of optdigits.tes.
    assert counts[0].ravel().tolist()[:16] == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert (FOLDER / "digits.npz").stat().st_size <= 70_000


def test_source_and_licence_lie_beside_them():
    note = (FOLDER / "digits.md").read_text()
    assert "CC BY 4.0" in note and "Alpaydin" in note and "10.24432/C50P49" in note


@pytest.mark.parametrize("source", [None, "digits"])
def test_they_load_at_sixteen_pixels_as_a_demonstration(source):
    dataset = load(source)
    assert dataset.name == "digits" and dataset.is_demonstration
    assert dataset.labels == tuple("0123456789")
    assert dataset.preprocessing == Preprocessing(16, 16, "grey")
    assert [len(s) for s in (dataset.train, dataset.validation, dataset.test)] == [1293, 145, 359]
    # Pinned: pixels, classes and split are the same on every machine and with every numpy.
    assert dataset.sha256 == "bd9eef1fbd03dc880aca9f51503a079de2c9556a7cd9ce41c7350cfc9c797af1"


def test_another_size_may_be_asked_for():
    assert load(None, size=8).train.images.shape[1:] == (1, 8, 8)


def test_a_path_is_never_taken_for_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (Path("digits"), "./digits"):
        with pytest.raises(toolchain.errors.InputError, match="does not exist"):
            load(name)
