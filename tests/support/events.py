"""Small data sets of event cameras, written in the published file formats byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Event = tuple[int, int, int, int]
"""Column, row, polarity, time in microseconds."""

HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2015-05-20 16:32:50\r\n#!END-HEADER\r\n"


def n_mnist_sample(events: Sequence[Event]) -> bytes:
    """40 bits an event: column, row, polarity and the 23 bits of the time, big-endian."""
    return b"".join(
        bytes([x, y, polarity << 7 | time >> 16, time >> 8 & 255, time & 255])
        for x, y, polarity, time in events
    )


def packet(
    events: Sequence[Event], *, kind: int = 1, overflows: int = 0, capacity: int | None = None
) -> bytes:
    """A packet of AEDAT 3.1: its header of 28 bytes and polarity events of 8."""
    count = len(events)
    header = struct.pack(
        "<hhiiiiii", kind, 1, 8, 4, overflows, count if capacity is None else capacity, count, count
    )
    words = [(x << 17 | y << 2 | polarity << 1 | 1, time) for x, y, polarity, time in events]
    return header + b"".join(struct.pack("<II", *word) for word in words)


def bar(
    target: int, seed: int, *, side: int, start_us: int, duration_us: int, count: int = 400
) -> list[Event]:
    """Events of a bar that turns with ``target``: its place shifts over time, brighter in front, darker behind."""
    rng = np.random.default_rng([target, seed])
    angle = np.pi * target / 11
    time = np.sort(rng.integers(0, duration_us, count))
    time[0], time[-1] = 0, duration_us - 1
    along = rng.uniform(-side / 3, side / 3, count)
    across = (time / duration_us - 0.5) * side / 3 + rng.normal(0, 0.5, count)
    polarity = rng.integers(0, 2, count)
    x = np.clip(side / 2 + along * np.cos(angle) - (across + polarity) * np.sin(angle), 0, side - 1).astype(
        int
    )
    y = np.clip(side / 2 + along * np.sin(angle) + (across + polarity) * np.cos(angle), 0, side - 1).astype(
        int
    )
    return [
        (int(a), int(b), int(p), int(t) + start_us) for a, b, p, t in zip(x, y, polarity, time, strict=True)
    ]


def write_n_mnist(root: Path, train: int = 4, test: int = 2) -> Path:
    """Folders Train and Test of so many samples of each digit."""
    for part, count, first in (("Train", train, 0), ("Test", test, 1000)):
        for digit in range(10):
            folder = root / part / str(digit)
            folder.mkdir(parents=True)
            for index in range(count):
                events = bar(digit, first + index, side=34, start_us=100, duration_us=300_000)
                (folder / f"{first + index:05}.bin").write_bytes(n_mnist_sample(events))
    return root


def write_dvs_gesture(root: Path, train: int = 4, test: int = 2) -> Path:
    """The authors' folder with so many recordings of the 11 gestures, which last half a second each."""
    root.mkdir(parents=True)
    for part, count, first in (("train", train, 1), ("test", test, 24)):
        names = []
        for index in range(first, first + count):
            name = f"user{index:02}_led"
            names.append(f"{name}.aedat\n")
            packets, rows = [], ["class,startTime_usec,endTime_usec"]
            for target in range(11):
                start = 1_000_000 * (target + 1)
                events = bar(target, index, side=128, start_us=start, duration_us=500_000)
                packets.append(packet(events[:200]) + packet(events[200:]))
                rows.append(f"{target + 1},{start},{start + 500_000}")
            (root / f"{name}.aedat").write_bytes(HEADER + b"".join(packets))
            (root / f"{name}_labels.csv").write_text("\n".join(rows) + "\n")
        (root / f"trials_to_{part}.txt").write_text("".join(names))
    return root


def write_cut_out(root: Path, train: int = 4, test: int = 2) -> Path:
    """tonic's folder of the same gestures: an array of column, row, polarity and milliseconds for each."""
    for part, count, first in (("Train", train, 1), ("Test", test, 24)):
        for index in range(first, first + count):
            folder = root / f"ibmGesture{part}" / f"user{index:02}_led"
            folder.mkdir(parents=True)
            for target in range(11):
                events = np.array(bar(target, index, side=128, start_us=0, duration_us=500_000), np.float64)
                events[:, 3] //= 1000
                np.save(folder / f"{target}.npy", events)
    return root
