"""Hostile and damaged recordings of event cameras: one sentence each, and nothing enormous is allocated."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.events import (
    HEADER,
    n_mnist_sample,
    packet,
    write_cut_out,
    write_dvs_gesture,
    write_n_mnist,
)
from toolchain.datasets import load
from toolchain.datasets.aedat import decode
from toolchain.errors import InputError

GOOD = packet([(1, 2, 1, 3)])
ENORMOUS = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, (1 << 31) - 1, 0, 0)


def refused(root: Path, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        load(root, size=8, frames=2)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an AEDAT 3.1"),
        (b"#!AER-DAT2.0\r\n#!END-HEADER\r\n", "not an AEDAT 3.1"),
        (b"#!AER-DAT3.1\r\n" + b"#x\r\n" * 200, "not an AEDAT 3.1"),
        (b"#!AER-DAT3.1\r\n#" + b"x" * 100_000, "not an AEDAT 3.1"),
        (HEADER + GOOD[:-1], "damaged or cut short"),
        (HEADER + GOOD + GOOD[:20], "damaged or cut short"),
        (HEADER + packet([], capacity=-1), "damaged or cut short"),
        (HEADER + packet([], overflows=-1), "damaged or cut short"),
        (HEADER + ENORMOUS, "damaged or cut short"),
        (HEADER + struct.pack("<hhiiiiii", 1, 1, 0, 4, 0, 9, 9, 9), "damaged or cut short"),
        (HEADER + struct.pack("<hhiiiiii", 1, 1, 4, 4, 0, 1, 1, 1) + bytes(4), "damaged or cut short"),
    ],
)
def test_broken_aedat(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decode(content, "recording")


def test_packets_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.datasets.aedat._MAX_PACKETS", 5)
    with pytest.raises(InputError, match="more than 5 packets"):
        decode(HEADER + packet([]) * 6, "recording")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a whole number"),
        (n_mnist_sample([(1, 1, 1, 1)])[:4], "not a whole number"),
        (n_mnist_sample([(34, 0, 0, 1)]), "not on N-MNIST's sensor"),
        (n_mnist_sample([(0, 255, 0, 1)]), "not on N-MNIST's sensor"),
        (n_mnist_sample([(0, 240, 0, 1)]), "has no events"),
        (bytes(5_000_000), "up to 4,194,304"),
    ],
)
def test_broken_n_mnist(
    content: bytes, says: str, tmp_path: Path, require_package: Callable[[str], None]
) -> None:
    require_package("tonic")
    root = write_n_mnist(tmp_path / "set", train=2, test=1)
    (root / "Test" / "3" / "01000.bin").write_bytes(content)
    refused(root, says)


def test_an_archive_of_samples_that_unpacks_to_far_more_than_its_size(tmp_path: Path) -> None:
    for part in ("Train", "Test"):
        with zipfile.ZipFile(tmp_path / f"{part}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{part}/0/00001.bin", bytes(100_000_000))
    refused(tmp_path, r"Train\.zip claims to unpack to")


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("12,0,1000", "class \\(1 to 11\\)"),
        ("1,1000,1000", "class \\(1 to 11\\)"),
        ("1,-5,1000", "class \\(1 to 11\\)"),
        ("1,0", "class \\(1 to 11\\)"),
        ("1,0," + "9" * 5000, "class \\(1 to 11\\)"),
        ("1,0,1e9", "class \\(1 to 11\\)"),
        ("1,5,6", "has no events between 5 us and 6 us"),
        ("\n".join(["1,0,1000"] * 2000), "at most 1,000 are read"),
        ('"' + "x" * 200_000 + '"', "is not a table"),
    ],
)
def test_broken_labels(labels: str, says: str, tmp_path: Path) -> None:
    root = write_dvs_gesture(tmp_path / "set", train=2, test=1)
    (root / "user24_led_labels.csv").write_text(f"class,startTime_usec,endTime_usec\n{labels}\n")
    refused(root, says)


@pytest.mark.parametrize("name", ["../secret.aedat", "/etc/passwd", "sub/x.aedat", "..", "\0"])
def test_trials_that_lead_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.aedat").write_bytes(HEADER)
    root = write_dvs_gesture(tmp_path / "set", train=2, test=1)
    (root / "trials_to_test.txt").write_text(f"{name}\n")
    refused(root, "lacks the recording")


def test_labels_that_are_no_text_and_events_off_the_sensor(tmp_path: Path) -> None:
    root = write_dvs_gesture(tmp_path / "set", train=2, test=1)
    (root / "user24_led.aedat").write_bytes(HEADER + packet([(128, 0, 0, 10)]))
    (root / "user24_led_labels.csv").write_text("class,startTime_usec,endTime_usec\n1,0,1000\n")
    refused(root, "not of DVS128's sensor")
    (root / "user24_led_labels.csv").write_bytes(b"\xff\xfe")
    refused(root, "is not plain text")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array([{}], object), "Python objects, which are never unpickled"),
        (np.zeros((3, 3)), "rows of column, row, polarity"),
        (np.zeros((0, 4)), "rows of column, row, polarity"),
        (np.full((3, 4), np.nan), "rows of column, row, polarity"),
        (np.full((3, 4), -1), "rows of column, row, polarity"),
        (np.full((3, 4), 1e300), "rows of column, row, polarity"),
        (np.array([[0, 0, 2, 0]]), "not of DVS128's sensor"),
        (np.array([[500, 0, 1, 0]]), "not of DVS128's sensor"),
    ],
)
def test_broken_arrays(array: np.ndarray, says: str, tmp_path: Path) -> None:
    root = write_cut_out(tmp_path / "set", train=2, test=1)
    np.save(root / "ibmGestureTest" / "user24_led" / "4.npy", array, allow_pickle=True)
    refused(root, says)


def test_an_array_whose_header_claims_more_than_there_is(tmp_path: Path) -> None:
    root = write_cut_out(tmp_path / "set", train=2, test=1)
    file = root / "ibmGestureTest" / "user24_led" / "4.npy"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"(400, 4)", b"(9999,4)"))
    refused(root, "not as long as its header's")
    file.write_bytes(whole[:-8])
    refused(root, "not as long as its header's")


def test_links_out_of_the_data_set(tmp_path: Path) -> None:
    root = write_dvs_gesture(tmp_path / "set", train=2, test=1)
    (tmp_path / "elsewhere").write_bytes((root / "user24_led.aedat").read_bytes())
    (root / "user24_led.aedat").unlink()
    os.symlink(tmp_path / "elsewhere", root / "user24_led.aedat")
    refused(root, "a link out of the data set")
