from __future__ import annotations

import pytest

from toolchain.errors import InputError
from toolchain.quantities import parse_count, parse_millijoules


@pytest.mark.parametrize(("text", "value"), [("500uJ", 0.5), ("2mJ", 2.0), ("0.1 J", 100.0), ("3MJ", 3.0)])
def test_energies(text: str, value: float) -> None:
    assert parse_millijoules(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("250000", 250_000), ("250k", 250_000), ("1.5M", 1_500_000)])
def test_counts(text: str, value: int) -> None:
    assert parse_count(text) == value


@pytest.mark.parametrize("text", ["", "J", "0mJ", "-1mJ", "1", "1kJ", "1e3J", "nan J"])
def test_no_energies(text: str) -> None:
    with pytest.raises(InputError, match="no energy above 0"):
        parse_millijoules(text)


@pytest.mark.parametrize("text", ["", "M", "0", "0.5", "-1", "1T", "1e3", "inf"])
def test_no_counts(text: str) -> None:
    with pytest.raises(InputError, match="no count above 0"):
        parse_count(text)
