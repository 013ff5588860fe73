"""Calibrated boards: the estimate of what was measured is the measurement, and others follow its rates."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.architectures import LINES, untrained
from toolchain.cost.cycles import pace
from toolchain.cost.footprint import footprint
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Calibration, Profile
from toolchain.verification.calibration import Taken, firmware_calibration, linux_calibration
from toolchain.verification.prediction import predicted_lines

GRAPH, WIDER = untrained(LINES[0]), untrained(LINES[0].replace("32", "64"))
DAY = date(2026, 1, 31)


def calibrated(name: str, found: Calibration) -> Profile:
    return load(name).model_copy(update={"calibration": found})


def test_estimates_of_the_measured_artifacts_are_what_was_measured() -> None:
    taken = {"model.onnx": Taken(12_345, 9_000_001), "model.tflite": Taken(23_456, 4_000_003)}
    found = linux_calibration(GRAPH, "Raspberry Pi 4", taken, DAY)
    profile = calibrated("raspberry_pi_4b", found)
    for target, each in (("cpu", taken["model.onnx"]), ("linux", taken["model.tflite"])):
        used = footprint(GRAPH, profile, [target])
        assert used.latency_ms == pytest.approx(each.latency_us / 1000, rel=1e-12)
        assert used.resident_bytes == each.resident_bytes
        plain = footprint(WIDER, load("raspberry_pi_4b"), [target]), footprint(WIDER, profile, [target])
        base = footprint(GRAPH, load("raspberry_pi_4b"), [target])
        assert plain[0].latency_ms and plain[1].latency_ms and used.latency_ms and base.latency_ms
        assert plain[1].latency_ms / plain[0].latency_ms == pytest.approx(used.latency_ms / base.latency_ms)
    both = footprint(GRAPH, profile, ["cpu", "linux"])
    assert both.latency_ms == pytest.approx(23.456) and both.resident_bytes == 9_000_001
    assert (found.board, found.measured_on) == ("Raspberry Pi 4", "2026-01-31")
    assert "model.onnx, model.tflite" in found.source and GRAPH.sha256()[:12] in found.source


def test_lines_of_the_budget_say_that_they_are_calibrated() -> None:
    found = linux_calibration(GRAPH, "Jetson", {"model.onnx": Taken(8_000, None)}, DAY)
    profile = calibrated("jetson_nano", found)
    lines = {line.resource: line for line in predicted_lines(GRAPH, profile, budget(profile))}
    assert (lines["latency"].used, lines["latency"].evidence) == (8_000, "estimated")
    assert lines["latency"].note == "for the board, calibrated on Jetson, 2026-01-31"
    assert found.onnx_resident_factor is None  # a system that does not tell changes nothing
    assert (
        lines["resident memory"].used
        == {line.resource: line for line in predicted_lines(GRAPH, load("jetson_nano"), budget(profile))}[
            "resident memory"
        ].used
    )


def test_a_microcontroller_has_cycles_for_an_instruction() -> None:
    board = load("stm32f405")
    found = firmware_calibration(GRAPH, board, "STM32F405", "firmware.elf", 3_000_000, 2_000_000, DAY)
    assert found.cycles_per_instruction == 1.5
    used = footprint(GRAPH, calibrated("stm32f405", found))
    assert used.latency_ms == pytest.approx(3_000_000 / board.clock_hz * 1e3, rel=1e-12)
    # Without a fit of its own, the cost model's instructions take as long as emulated ones.
    emulated = replace_factor(found)
    before, after = (
        footprint(GRAPH, board).latency_ms,
        footprint(GRAPH, calibrated("stm32f405", emulated)).latency_ms,
    )
    assert before and after == pytest.approx(1.5 / pace(board).most * before)


def replace_factor(found: Calibration) -> Calibration:
    return found.model_copy(update={"cycles_per_estimated_instruction": None})


def test_nothing_measured_calibrates_nothing() -> None:
    with pytest.raises(InputError, match=r"nothing was measured on Jetson .* model.onnx or model.tflite"):
        linux_calibration(GRAPH, "Jetson", {"model_tensorrt.onnx": Taken(100, None)}, DAY)
    for cycles, instructions in ((0, 1), (1, 0)):
        with pytest.raises(InputError, match="calibrate nothing"):
            firmware_calibration(GRAPH, load("stm32f405"), "b", "firmware.elf", cycles, instructions, DAY)
