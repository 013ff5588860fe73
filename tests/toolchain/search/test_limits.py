from __future__ import annotations

import re

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.search.limits import misses

SMALL = parse("t2 leak2 reset-subtract stem4/2 003000 head-count")


@pytest.mark.parametrize(
    ("name", "limits", "sentence"),
    [
        ("stm32f405", {"flash_bytes": 1024}, r"flash by [\d,]+ bytes \([\d.]+ KiB of 1\.0 KiB\)"),
        ("stm32f405", {"latency_ms": 0.01}, r"latency by [\d.]+ ms \(an estimated [\d.]+ ms of 0\.01 ms\)"),
        ("stm32f405", {"energy_mj": 0.002}, r"energy by [\d.]+ mJ \(an estimated [\d.]+ mJ of 0\.002 mJ\)"),
        ("jetson_nano", {"operations": 100}, r"operations by [\d,]+ \([\d,]+ of 100 synaptic operations\)"),
        ("jetson_nano", {"resident_bytes": 1024}, r"resident by [\d,]+ bytes \([\d.,]+ KiB of 1\.0 KiB\)"),
    ],
)
def test_a_miss_is_told_in_the_limit_s_unit(name: str, limits: dict[str, float], sentence: str) -> None:
    verdict = board(name, **limits).judge(SMALL)
    assert re.fullmatch(sentence, misses(verdict)), misses(verdict)


def test_the_worst_miss_comes_first() -> None:
    verdict = board("stm32f405", flash_bytes=5000, operations=10).judge(SMALL)
    text = misses(verdict)
    assert text.startswith("operations by") and " and flash by" in text
