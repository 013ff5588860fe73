from __future__ import annotations

from typing import get_args

import pytest

from toolchain.cost.cycles import CORES, binding, image_range_ms, pace, range_words
from toolchain.profiles import load
from toolchain.profiles.schema import Calibration, Core, Profile

CALIBRATED = Calibration(
    board="a Black Pill on my desk", measured_on="2026-10-03", cycles_per_instruction=1.3, source="measured"
)


def waiting(states: int | None) -> Profile:
    board = load("stm32f405")
    regions = tuple(
        region.model_copy(update={"wait_states": states if region.kind == "flash" else None})
        for region in board.regions
    )
    return board.model_copy(update={"regions": regions})


@pytest.mark.parametrize("core", get_args(Core))
def test_every_core_has_a_range_with_a_source(core: Core) -> None:
    found = CORES[core]
    assert 0.5 <= found.least < found.most <= 2 and len(found.source) > 20


def test_wait_states_make_the_slow_end_slower() -> None:
    unknown, none, five = (pace(waiting(states)) for states in (None, 0, 5))
    assert none[:2] == unknown[:2] == (1.0, 1.6)
    assert five.least == 1.0 and five.most == pytest.approx(1.6 + 5 / 4 + 5 / 15)
    assert "without wait states" in unknown.source and "flash with 5 wait states" in five.source


def test_a_range_of_milliseconds() -> None:
    board = waiting(0)
    least, most = image_range_ms(board, 168_000)
    assert (least, most) == (pytest.approx(1.0), pytest.approx(1.6))
    assert range_words(board, most) == (
        "1 to 1.6 ms at 1 to 1.6 cycles an instruction, flash with 0 wait states, not calibrated"
    )


def test_a_calibrated_board_has_one_figure_with_its_name_and_day() -> None:
    board = waiting(5).model_copy(update={"calibration": CALIBRATED})
    assert image_range_ms(board, 168_000) == (pytest.approx(1.3), pytest.approx(1.3))
    assert pace(board).measured and pace(board, estimated=True).most == 1.3
    assert range_words(board, 1.3) == "calibrated on a Black Pill on my desk, 2026-10-03"


def test_only_a_timed_microcontroller_can_fail_by_its_time() -> None:
    assert not binding(load("stm32f405"))
    assert binding(load("stm32f405").model_copy(update={"calibration": CALIBRATED}))
    # Other limits on the time of a Linux board are its profile's own.
    assert binding(load("jetson_nano"))


def test_a_linux_board_has_no_cycles() -> None:
    with pytest.raises(ValueError, match="jetson_nano is no microcontroller"):
        pace(load("jetson_nano"))
