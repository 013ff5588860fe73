"""Events become frames: by hand, event by event against the equations, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.errors import InputError
from toolchain.graph.events import EventFrames, Events
from toolchain.graph.preprocessing import Preprocessing

RULE = EventFrames(frames=4, window_us=100_000, gain=16, sensor_height=34, sensor_width=30)
FRAMED = Preprocessing(17, 10, "polarity", events=RULE)


def events(rows: list[tuple[int, int, int, int]], start_us: int, duration_us: int) -> Events:
    """Events from rows of x, y, polarity, time."""
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return Events(*columns, start_us, duration_us)


def test_a_few_events_by_hand() -> None:
    found = RULE.counts(
        events([(29, 33, 1, 10), (28, 32, 1, 11), (0, 0, 0, 34), (0, 0, 0, 35), (2, 1, 0, 109)], 10, 100),
        17,
        10,
    )
    assert found.shape == (4, 2, 17, 10) and found.sum() == 5
    assert found[0, 1, 16, 9] == 2  # both in the last pixel of the half-sized frame
    assert (
        found[0, 0, 0, 0] == 1 and found[1, 0, 0, 0] == 1
    )  # a bin is 25 us: 24 us after the start, and 25 us
    assert found[3, 0, 0, 0] == 1


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 8), st.integers(1, 40), st.integers(1, 40), st.integers(1, 10**7))
def test_every_event_counts_where_the_equations_say(
    data: st.DataObject, frames: int, height: int, width: int, duration: int
) -> None:
    event = st.tuples(st.integers(0, 29), st.integers(0, 33), st.integers(0, 1), st.integers(5, 4 + duration))
    rows = data.draw(st.lists(event, max_size=20))
    expected = np.zeros((frames, 2, height, width), np.int64)
    for x, y, polarity, time in rows:
        expected[(time - 5) * frames // duration, polarity, y * height // 34, x * width // 30] += 1
    found = replace(RULE, frames=frames).counts(events(rows, 5, duration), height, width)
    np.testing.assert_array_equal(found, expected)


def test_pixels_are_counts_times_the_gain_up_to_a_byte() -> None:
    pixels = RULE.pixels(np.array([0, 1, 15, 16, 1 << 40]))
    assert pixels.dtype == np.uint8 and pixels.tolist() == [0, 16, 240, 255, 255]


def test_preprocessing_records_how_events_are_counted() -> None:
    assert (FRAMED.frames, FRAMED.planes) == (4, 2)
    assert Preprocessing.from_dict(FRAMED.to_dict()) == FRAMED
    assert "events" not in Preprocessing(4, 4, "grey").to_dict()
    with pytest.raises(InputError, match="takes frames of events"):
        FRAMED.apply(np.zeros((34, 30), np.uint8))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"events": None}, "counted from events"),
        ({"channels": "grey"}, "counted from events"),
        ({"crop": "centre_square"}, "not cropped"),
        ({"events": 3}, "a table of frames"),
        ({"events": RULE.to_dict() | {"more": 1}}, "nothing else"),
        ({"events": RULE.to_dict() | {"frames": 9}}, "frames of events must be a whole number from 1 to 8"),
        ({"events": RULE.to_dict() | {"gain": 0}}, "gain of events"),
        ({"events": RULE.to_dict() | {"gain": True}}, "gain of events"),
        ({"events": RULE.to_dict() | {"window_us": "1"}}, "window_us of events"),
        ({"events": RULE.to_dict() | {"sensor_width": 1 << 20}}, "sensor_width of events"),
    ],
)
def test_broken_records_are_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Preprocessing.from_dict(FRAMED.to_dict() | changed)
