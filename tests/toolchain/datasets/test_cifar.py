"""CIFAR-10 and CIFAR-100 in the published binary layout, in every form they are had in."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toolchain.datasets.writers import CIFAR10_NAMES, cifar_files, write_folder, write_tar
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Preprocessing

FORMS = {
    "as downloaded": lambda base, files: write_tar(base / "set.tar.gz", files),
    "tar": lambda base, files: write_tar(base / "set.tar", files, packed=False),
    "unpacked": lambda base, files: write_folder(base / "set", files),
    "unpacked, its own folder": lambda base, files: (
        write_folder(base / "set", files) / next(iter(files)).split("/")[0]
    ),
}
forms = pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
FOLDERS = {10: "cifar-10-batches-bin", 100: "cifar-100-binary"}


@forms
@pytest.mark.parametrize("kind", [10, 100])
def test_images_and_classes_are_those_of_the_records(kind, write, tmp_path):
    files, sets = cifar_files(kind, per_class=2)
    dataset = load(write(tmp_path, files))
    assert dataset.name == f"cifar-{kind}" and dataset.preprocessing == Preprocessing(32, 32, "rgb")
    assert dataset.labels == (tuple(CIFAR10_NAMES) if kind == 10 else tuple(f"fine{i}" for i in range(100)))
    np.testing.assert_array_equal(dataset.test.images, sets["test"][0])
    np.testing.assert_array_equal(dataset.test.targets, sets["test"][1])
    classes = {image.tobytes(): label for image, label in zip(*sets["train"], strict=True)}
    for subset in (dataset.train, dataset.validation):
        assert [classes.pop(image.tobytes()) for image in subset.images] == subset.targets.tolist()
    assert not classes


def test_a_record_is_label_then_red_green_blue_rows(tmp_path):
    files, _ = cifar_files(10)
    # Red 10, green 20, blue 30, but for the third pixel of the second row of the green plane.
    planes = bytearray(b"\x0a" * 1024 + b"\x14" * 1024 + b"\x1e" * 1024)
    planes[1024 + 32 + 2] = 99
    files[f"{FOLDERS[10]}/test_batch.bin"] = b"\x07" + planes
    dataset = load(write_tar(tmp_path / "set.tar.gz", files))
    assert dataset.test.targets.tolist() == [7]
    image = dataset.test.images[0]
    assert image[1, 1, 2] == 99 and (image[0] == 10).all() and (image[2] == 30).all()
    assert (np.delete(image[1].ravel(), 34) == 20).all()


def test_all_forms_agree(tmp_path):
    files, _ = cifar_files(10)
    found = set()
    for number, write in enumerate(FORMS.values()):
        (tmp_path / str(number)).mkdir()
        found.add(load(write(tmp_path / str(number), files)).sha256)
    assert len(found) == 1


@forms
@pytest.mark.parametrize(
    ("kind", "name", "data", "words"),
    [
        (
            10,
            "data_batch_3.bin",
            None,
            "lacks data_batch_3.bin of cifar-10; fetch cifar-10-binary.tar.gz again",
        ),
        (10, "test_batch.bin", None, "lacks test_batch.bin"),
        (10, "batches.meta.txt", None, "lacks batches.meta.txt"),
        (100, "fine_label_names.txt", None, "lacks fine_label_names.txt of cifar-100"),
        (10, "data_batch_3.bin", bytes(3072), "data_batch_3.bin has 3,072 bytes, not a whole number"),
        (10, "test_batch.bin", b"", "test_batch.bin has 0 bytes"),
        (10, "test_batch.bin", b"\x0a" + bytes(3072), "label 10, but cifar-10 has 10"),
        (100, "test.bin", b"\x14\x00" + bytes(3072), "label 20, but cifar-100 has 20"),
        (100, "test.bin", b"\x00\x64" + bytes(3072), "label 100, but cifar-100 has 100"),
        (10, "batches.meta.txt", b"cat\ndog\n", "names 2 classes, not 10"),
        (10, "batches.meta.txt", b"\xff" * 9, "is not plain text"),
    ],
)
def test_what_is_missing_or_damaged_is_named(kind, name, data, words, write, tmp_path):
    files, _ = cifar_files(kind, per_class=2)
    key = f"{FOLDERS[kind]}/{name}"
    if data is None:
        del files[key]
    else:
        files[key] = data
    with pytest.raises(InputError, match=words):
        load(write(tmp_path, files))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("names", "binary"),
    [
        (("cifar-10-batches-py/data_batch_1", "cifar-10-batches-py/batches.meta"), "cifar-10-binary.tar.gz"),
        (("cifar-100-python/train", "cifar-100-python/meta"), "cifar-100-binary.tar.gz"),
    ],
)
def test_the_python_version_is_refused_with_the_name_of_the_other(packed, names, binary, tmp_path):
    # A pickle that would leave a file behind if anything unpickled it.
    planted = tmp_path / "planted"
    pickle = b"cbuiltins\nopen\n(V" + str(planted).encode() + b"\nVw\ntR."
    files = dict.fromkeys(names, pickle)
    words = f"Python version .* never unpickled; download the binary version, {binary}"
    paths = [write_tar(tmp_path / "set.tar.gz", files, packed), write_folder(tmp_path / "set", files)]
    for path in [*paths, paths[1] / names[0].split("/")[0]]:
        with pytest.raises(InputError, match=words):
            load(path)
    assert not planted.exists()


def test_another_tar_is_refused(tmp_path):
    with pytest.raises(InputError, match="a tar archive but not cifar-10-binary.tar.gz or"):
        load(write_tar(tmp_path / "set.tar", {"photos/cat/1.png": b"x"}))


def test_a_folder_of_both_is_refused(tmp_path):
    root = write_folder(tmp_path / "set", cifar_files(10, 1)[0] | cifar_files(100, 1)[0])
    with pytest.raises(InputError, match="holds several data sets"):
        load(root)
