"""N-MNIST in the authors' file format, written here event by event and read through tonic."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.events import n_mnist_sample, write_n_mnist
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.graph.events import EventFrames


@pytest.fixture(autouse=True)
def tonic(require_package: Callable[[str], None]) -> None:
    require_package("tonic")


def zipped(root: Path) -> Path:
    """``root`` with archives in the place of its folders, as they are downloaded."""
    for part in ("Train", "Test"):
        with zipfile.ZipFile(root / f"{part}.zip", "w") as archive:
            for file in sorted((root / part).rglob("*.bin")):
                archive.write(file, file.relative_to(root))
                file.unlink()
        for folder in sorted((root / part).iterdir()):
            folder.rmdir()
        (root / part).rmdir()
    return root


def test_samples_of_ten_digits_become_frames(tmp_path: Path) -> None:
    data = load(write_n_mnist(tmp_path / "set"), frames=4)
    assert data.name == "n-mnist" and data.labels == tuple("0123456789")
    assert data.train.images.shape == (30, 4, 2, 34, 34) and data.train.images.dtype == np.uint8
    assert (len(data.validation), len(data.test)) == (10, 20)
    events = data.preprocessing.events
    assert events == EventFrames(4, 300_000, events.gain if events else 0, 34, 34)
    assert data.preprocessing.channels == "polarity" and data.pixels == (2, 34, 34)
    assert data.test.targets.tolist() == sorted(data.test.targets.tolist())


def test_every_bit_of_an_event_counts(tmp_path: Path) -> None:
    """Three events of one sample, the last of them at the longest time that 23 bits tell."""
    root = write_n_mnist(tmp_path / "set", test=1)
    last = (1 << 23) - 1
    content = n_mnist_sample([(33, 0, 1, 5), (2, 31, 0, last // 2 + 100), (2, 31, 0, last)])
    assert content[-3:] == b"\x7f\xff\xff"
    (root / "Test" / "0" / "01000.bin").write_bytes(content)
    data = load(root, frames=2)
    assert data.preprocessing.events is not None
    gain, image = data.preprocessing.events.gain, data.test.images[0]
    assert image[0, 1, 0, 33] == gain and image[1, 0, 31, 2] == min(255, 2 * gain)
    assert image.sum() == gain + min(255, 2 * gain)


def test_archives_as_downloaded_give_the_same(tmp_path: Path) -> None:
    folder = load(write_n_mnist(tmp_path / "a"), frames=2)
    assert load(zipped(write_n_mnist(tmp_path / "b")), frames=2).sha256 == folder.sha256


def test_frames_and_size_shrink_what_is_read(tmp_path: Path) -> None:
    root = write_n_mnist(tmp_path / "set")
    data = load(root, size=17, frames=1)
    assert data.train.images.shape == (30, 2, 17, 17) and data.preprocessing.frames == 1
    assert load(root).train.images.shape[1] == 8
    with pytest.raises(InputError, match="larger than the sensor, 34x34; take a smaller --size"):
        load(root, size=35)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"frames": 9}, "1 to 8 frames, not 9"),
        ({"channels": "grey"}, "leave --channels and cropping out"),
        ({"crop": "centre_square"}, "leave --channels and cropping out"),
    ],
)
def test_options_of_images_are_refused(tmp_path: Path, options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        load(write_n_mnist(tmp_path / "set"), **options)  # type: ignore[arg-type]


def test_images_take_no_frames() -> None:
    with pytest.raises(InputError, match="has images, not events; leave --frames out"):
        load(None, frames=2)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    root = zipped(write_n_mnist(tmp_path / "set"))
    (root / "Test.zip").unlink()
    with pytest.raises(InputError, match=r"lacks Test\.zip of N-MNIST"):
        load(root)
