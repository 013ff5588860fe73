"""Fashion-MNIST by name, from wherever XDG_DATA_DIRS says data is installed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toolchain.datasets.writers import write_idx
from toolchain.datasets import load
from toolchain.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)


def test_it_is_found_and_its_classes_are_named(tmp_path, monkeypatch):
    labels = np.arange(60) % 10
    write_idx(tmp_path / "datasets/fashion-mnist", (IMAGES, labels), (IMAGES, labels), packed=True)
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path}/nothing:{tmp_path}")
    dataset = load("fashion_mnist")
    assert dataset.name == "fashion_mnist" and not dataset.is_demonstration
    assert dataset.labels[0] == "T-shirt/top" and dataset.labels[9] == "ankle boot"
    np.testing.assert_array_equal(dataset.test.images[:, 0], IMAGES)


def test_without_it_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    with pytest.raises(InputError, match="apt install dataset-fashion-mnist"):
        load("fashion_mnist")


def test_other_data_in_its_place_is_refused(tmp_path, monkeypatch):
    write_idx(tmp_path / "datasets/fashion-mnist", (IMAGES, np.arange(60) % 7))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    with pytest.raises(InputError, match="7 classes"):
        load("fashion_mnist")
