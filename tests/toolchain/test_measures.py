"""Qualities as text."""

from __future__ import annotations

from toolchain.measures import MEASURES


def test_text():
    accuracy, explained = MEASURES["classification"], MEASURES["regression"]
    assert [accuracy.text(0.98333), accuracy.sentence(0.98333), accuracy.spread(0.0045)] == [
        "98.33%",
        "98.33%",
        "0.45",
    ]
    assert [explained.text(0.9131), explained.sentence(-0.2), explained.spread(0.0045)] == [
        "0.913",
        "R2 -0.200",
        "0.004",
    ]
