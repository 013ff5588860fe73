"""Options and paths: what ``load`` refuses, and that it says so before it reads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.toolchain.datasets.writers import sample, write_npz
from toolchain.datasets import load
from toolchain.errors import InputError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 0}, "height must be"),
        ({"size": (8, 5000)}, "width must be"),
        ({"channels": "bgr"}, "channels must be one of"),
        ({"crop": "left"}, "crop must be one of"),
        ({"validation_fraction": 0.0}, "between 0 and 1"),
        ({"validation_fraction": 1.0}, "between 0 and 1"),
        ({"validation_fraction": float("nan")}, "between 0 and 1"),
        ({"limit": 0}, "at least 1"),
    ],
)
def test_wrong_options_are_refused_before_reading(options, words):
    with pytest.raises(InputError, match=words):
        load("does/not/exist", **options)


@pytest.mark.parametrize("name", ["nothing.zip", "fashionmnist", "bad\0name", "x" * 5000])
def test_a_missing_path_lists_what_there_is(name):
    with pytest.raises(InputError, match="digits, fashion_mnist|cannot read"):
        load(name)


@pytest.mark.parametrize("name", ["set.npz", "set.zip", "set.txt"])
def test_a_file_of_no_known_kind(name, tmp_path):
    (tmp_path / name).write_bytes(b"not a data set\n" * 100)
    with pytest.raises(InputError, match="is not a data set that can be read"):
        load(tmp_path / name)


def test_too_much_for_the_memory_names_the_options(tmp_path, monkeypatch):
    path = write_npz(tmp_path / "set.npz", sample())
    monkeypatch.setattr("toolchain.datasets.limits.memory_limit_bytes", lambda: 29 * 40 * 40 + 12 * 9)
    with pytest.raises(InputError, match="30 images would take .* use --limit or a smaller --size"):
        load(path, size=40)
    assert len(load(path, size=40, limit=29).train) == 20


def test_neither_pillow_nor_torch_is_loaded_for_the_digits():
    code = (
        "import sys; from toolchain.datasets import load; load(None); "
        "print('PIL' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "False"]


def test_arrays_are_writable_so_that_torch_may_share_them():
    dataset = load(None, limit=60)
    for subset in (dataset.train, dataset.validation, dataset.test):
        assert subset.images.flags.writeable and subset.targets.flags.writeable
        assert isinstance(subset.images, np.ndarray)
