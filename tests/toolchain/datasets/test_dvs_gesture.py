"""DVS128 Gesture as its authors and as tonic distribute it, written here in both forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.events import HEADER, packet, write_cut_out, write_dvs_gesture
from toolchain.datasets import load
from toolchain.errors import InputError


def test_gestures_of_the_authors_recordings_become_frames(tmp_path: Path) -> None:
    data = load(write_dvs_gesture(tmp_path / "set"), size=32, frames=4)
    assert data.name == "dvs-gesture" and len(data.labels) == 11 and data.labels[0] == "hand clapping"
    assert data.train.images.shape == (33, 4, 2, 32, 32)
    assert (len(data.validation), len(data.test)) == (11, 22)
    events = data.preprocessing.events
    assert events is not None and (events.sensor_height, events.window_us) == (128, 500_000)


def test_a_label_says_when_its_gesture_starts_and_ends(tmp_path: Path) -> None:
    root = write_dvs_gesture(tmp_path / "set", test=1)
    labels = root / "user24_led_labels.csv"
    row = labels.read_text().splitlines()[3]
    labels.write_text("class,startTime_usec,endTime_usec\n4,1000,2000\n")
    packets = packet([(1, 2, 1, 999), (9, 3, 1, 1000)]) + packet([(9, 3, 1, 1999), (8, 127, 0, 2000)])
    (root / "user24_led.aedat").write_bytes(HEADER + packets)
    data = load(root, frames=2)
    assert row.startswith("3,") and data.test.targets.tolist() == [3]
    (image,) = data.test.images
    assert data.preprocessing.events is not None
    gain = data.preprocessing.events.gain
    assert image[0, 1, 3, 9] == image[1, 1, 3, 9] == gain and image.sum() == 2 * gain


def test_the_folder_that_holds_it_is_enough(tmp_path: Path) -> None:
    inner = load(write_dvs_gesture(tmp_path / "DvsGesture"), size=16, frames=2)
    assert load(tmp_path, size=16, frames=2).sha256 == inner.sha256


def test_what_tonic_has_cut_out_is_the_same_to_a_millisecond(tmp_path: Path) -> None:
    whole = load(write_dvs_gesture(tmp_path / "a"), size=32, frames=1)
    cut = load(write_cut_out(tmp_path / "DVSGesture"), size=32, frames=1)
    assert cut.labels == whole.labels and load(tmp_path, size=32, frames=1).sha256 == cut.sha256
    # Recordings list their gestures by time, folders by name: the same samples in another order.
    assert sorted(image.tobytes() for image in cut.test.images) == sorted(
        image.tobytes() for image in whole.test.images
    )
    assert np.bincount(cut.test.targets).tolist() == [2] * 11


@pytest.mark.parametrize("file", ["trials_to_test.txt", "user24_led.aedat", "user01_led_labels.csv"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    root = write_dvs_gesture(tmp_path / "set")
    (root / file).unlink()
    with pytest.raises(InputError, match=f"lacks .*{file}"):
        load(root, size=8, frames=2)
