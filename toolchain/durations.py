"""Durations as people write them on a command line."""

from __future__ import annotations

import re

from toolchain.errors import InputError

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|min|m|h)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of ``20ms``, ``90s``, ``5m`` (or ``5min``), ``1.5h``; raises ``InputError`` otherwise."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or float(found[1]) == 0:
        raise InputError(f"{text[:40]!r} is no duration above 0; write a number and ms, s, m or h, as in 60s")
    return float(found[1]) * _SECONDS[found[2]]


def parse_milliseconds(text: str) -> float:
    """Milliseconds of what ``parse_duration`` reads."""
    return parse_duration(text) * 1000


def spoken(seconds: float) -> str:
    """A duration as a person says it: ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
