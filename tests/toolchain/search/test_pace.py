from __future__ import annotations

from typing import get_args

import pytest

from toolchain.profiles import load
from toolchain.profiles.schema import Core
from toolchain.search.pace import CYCLES_PER_OPERATION, FRAME_MS, microcontroller_ms


def test_every_core_has_an_estimate() -> None:
    assert set(CYCLES_PER_OPERATION) == set(get_args(Core))


def test_time_grows_with_operations_and_falls_with_the_clock() -> None:
    board = load("stm32f405")
    # 168 MHz / 30 frames / 0.4 cycles = 14 million operations a frame.
    assert microcontroller_ms(14_000_000, board) == pytest.approx(FRAME_MS)
    slower = board.model_copy(update={"clock_hz": board.clock_hz // 2})
    assert microcontroller_ms(14_000_000, slower) == pytest.approx(2 * FRAME_MS)


def test_linux_boards_have_their_own_estimate() -> None:
    assert microcontroller_ms(1, load("jetson_nano")) is None
