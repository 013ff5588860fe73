"""Energies, counts and shares as people write them on a command line."""

from __future__ import annotations

import re
from fractions import Fraction

from toolchain.errors import InputError

_MILLIJOULES = {"uj": 1e-3, "mj": 1.0, "j": 1e3}
_MULTIPLES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*%", re.ASCII)
_QUANTITY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]{0,2})", re.ASCII)


def parse_millijoules(text: str) -> float:
    """Millijoules of ``500uJ``, ``2mJ``, ``0.1J``; raises ``InputError`` otherwise."""
    found = _QUANTITY.fullmatch(text.strip().lower())
    if found is None or found[2] not in _MILLIJOULES or float(found[1]) == 0:
        raise InputError(f"{text[:40]!r} is no energy above 0; write a number and uJ, mJ or J, as in 2mJ")
    return float(found[1]) * _MILLIJOULES[found[2]]


def parse_count(text: str) -> int:
    """The count in ``250000``, ``250k``, ``1.5M``, ``2G``; raises ``InputError`` otherwise."""
    found = _QUANTITY.fullmatch(text.strip().lower())
    if found is None or found[2] not in _MULTIPLES or int(float(found[1]) * _MULTIPLES[found[2]]) == 0:
        raise InputError(f"{text[:40]!r} is no count above 0; write a number with k, M or G, as in 20M")
    return int(float(found[1]) * _MULTIPLES[found[2]])


def parse_percent(text: str) -> Fraction:
    """The share in ``2%``, ``0.5 %``, ``0%``; raises ``InputError`` otherwise."""
    found = _PERCENT.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text[:40]!r} is no share; write a number and %, as in 2%")
    return Fraction(found[1]) / 100


def percent(share: Fraction) -> str:
    """A share as text that ``parse_percent`` reads back: ``2%``, ``0.5%``."""
    return f"{float(share * 100):g}%"
