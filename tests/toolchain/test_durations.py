from __future__ import annotations

import pytest

from toolchain.durations import parse_duration, parse_milliseconds, spoken
from toolchain.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("20ms", 0.02), ("5m", 300), ("5min", 300), ("1.5h", 5400), (" 2 M ", 120), ("0.5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_milliseconds(text) == seconds * 1000


@pytest.mark.parametrize(
    "text", ["", "60", "0s", "-5s", "5 days", "1e3s", "nan s", "٦s", "s", "inf", "5m30s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match="is no duration above 0"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_spoken(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
