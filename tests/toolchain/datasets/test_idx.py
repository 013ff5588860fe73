"""IDX files that are not what they should be."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.toolchain.datasets.writers import idx_bytes, sample, write_idx
from toolchain.datasets import load
from toolchain.errors import InputError


def test_the_layout_of_the_file_is_the_published_one(tmp_path):
    content = bytes.fromhex("00000803 00000002 00000001 00000003") + bytes(range(6))
    assert idx_bytes(np.arange(6).reshape(2, 1, 3)) == content


@pytest.mark.parametrize(
    "missing", ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte"]
)
def test_half_a_pair_is_refused(missing, tmp_path):
    path = write_idx(tmp_path / "set", sample(), sample(seed=1))
    (path / missing).unlink()
    with pytest.raises(InputError, match="has only one of"):
        load(path)


def test_counts_must_agree(tmp_path):
    images, labels = sample()
    with pytest.raises(InputError, match="holds 30 images but .* 29 labels"):
        load(write_idx(tmp_path / "set", (images, labels[:-1])))


def test_a_class_without_images_is_refused(tmp_path):
    images, labels = sample()
    with pytest.raises(InputError, match="class '2' has 0 images"):
        load(write_idx(tmp_path / "set", (images, labels + (labels == 2))))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-1], "too short|shorter"),
        (lambda data: data[:10], "is not an IDX file"),
        (lambda data: b"", "is not an IDX file"),
        (lambda data: data + b"\0", "longer"),
        (lambda data: b"\0\0\x0d" + data[3:], "is not an IDX file"),
        (lambda data: b"\0\0\x08\x01" + data[4:], "is not an IDX file"),
        (lambda data: data[:4] + bytes(4) + data[8:], "holds nothing"),
    ],
)
def test_damage_is_named(packed, damage, words, tmp_path):
    path = write_idx(tmp_path / "set", sample(), packed=packed)
    file = path / ("train-images-idx3-ubyte" + ".gz" * packed)
    data = file.read_bytes()
    file.write_bytes(gzip.compress(damage(gzip.decompress(data))) if packed else damage(data))
    with pytest.raises(InputError, match=f"train-images.*({words})"):
        load(path)


def test_a_cut_gzip_is_named(tmp_path):
    path = write_idx(tmp_path / "set", sample(), packed=True)
    file = path / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match="cannot read .*cut short"):
        load(path)
