from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.support.events import HEADER, bar, packet
from toolchain.datasets.aedat import decode

EVENTS = bar(3, 0, side=128, start_us=7_000_000, duration_us=90_000)


def test_events_come_as_they_were_recorded() -> None:
    found = decode(HEADER + packet(EVENTS[:10]) + packet([]) + packet(EVENTS[10:]), "x")
    columns = (found.x, found.y, found.polarity, found.time_us)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == EVENTS


def test_other_packets_are_passed_over_and_times_overflow() -> None:
    special = packet([(5, 5, 1, 9)], kind=0)
    found = decode(HEADER + special + packet([(127, 126, 0, 3)], overflows=2) + special, "x")
    assert (found.x.tolist(), found.y.tolist(), found.time_us.tolist()) == ([127], [126], [3 + (2 << 31)])


def test_a_recording_without_events_is_one() -> None:
    assert len(decode(HEADER, "x").x) == 0


def test_tonic_reads_the_same_words(tmp_path: Path, require_package: Callable[[str], None]) -> None:
    """Where tonic's reader of packets may be used: they are all polarities."""
    require_package("tonic")
    from tonic.io import get_aer_events_from_file

    path = tmp_path / "x.aedat"
    path.write_bytes(HEADER + packet(EVENTS[:100]) + packet(EVENTS[100:]))
    theirs, ours = get_aer_events_from_file(str(path), 3.1, len(HEADER)), decode(path.read_bytes(), "x")
    np.testing.assert_array_equal(theirs["timeStamp"], ours.time_us)
    np.testing.assert_array_equal(theirs["address"], ours.x << 17 | ours.y << 2 | ours.polarity << 1 | 1)
