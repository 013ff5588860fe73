from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import firmware
from tests.support.models import framing_of_tflite
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification.budget_lines import BudgetLine, binary_line, elf_lines, model_line, region_lines

KIB = 1024


def test_headroom_and_sentence() -> None:
    fits = BudgetLine("firmware.elf", "flash", 1000, 1000, "measured")
    over = BudgetLine("firmware.elf", "flash", 70_000, 65_536, "measured")
    assert (fits.headroom, fits.over) == (0, "")
    assert over.headroom == -4464
    assert over.over == "firmware.elf is over budget by 4,464 bytes: flash needs 70,000 and has 65,536"


def test_time_and_energy_have_their_own_units() -> None:
    late = BudgetLine("model.onnx", "latency", 40_000, 33_000, "measured", "us")
    assert "by 7,000 microseconds" in late.over
    hungry = BudgetLine("prediction", "energy", 1500, 1000, "estimated", "uj")
    assert "by 500 microjoules: energy needs 1,500 and has 1,000" in hungry.over


def test_every_region_and_the_totals_of_several() -> None:
    board = load("stm32f405")
    used = {"flash": 10, "sram": 20, "ccm": 30}
    found = {
        line.resource: (line.used, line.available)
        for line in region_lines("x", used, budget(board), "measured")
    }
    assert found == {
        "flash": (10, 1024 * KIB),
        "sram": (20, 128 * KIB),
        "ccm": (30, 64 * KIB),
        "sram in all": (50, 192 * KIB),
    }


def test_narrowed_total_is_over_though_no_region_is() -> None:
    board = load("stm32f405")
    used = {"flash": 10, "sram": 20 * KIB, "ccm": 20 * KIB}
    over = [
        line for line in region_lines("x", used, budget(board, sram_bytes=32 * KIB), "measured") if line.over
    ]
    assert [line.resource for line in over] == ["sram in all"]


def test_image_by_the_addresses_of_its_sections(fixture_elf: Path) -> None:
    board = firmware.profile()
    found = {line.resource: line.used for line in elf_lines(fixture_elf, board, budget(board))}
    assert found.keys() == {"flash", "sram"}
    assert 300 < found["flash"] < 2000
    assert found["sram"] >= firmware.STACK_BYTES + firmware.ARENA_BYTES + 32


def test_raw_image_is_held_to_the_code_region(tmp_path: Path) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(bytes(70_000))
    board = firmware.profile()
    assert binary_line(path, board, budget(board)).headroom == 65_536 - 70_000
    path.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        binary_line(path, board, budget(board))
    with pytest.raises(InputError, match="does not exist|cannot read"):
        binary_line(tmp_path / "none.bin", board, budget(board))


def test_file_for_the_other_kind_of_board_is_refused(fixture_elf: Path, tmp_path: Path) -> None:
    linux, micro = load("raspberry_pi_4b"), firmware.profile()
    model = tmp_path / "model.tflite"
    model.write_bytes(framing_of_tflite())
    assert model_line(model, linux, budget(linux)).used == model.stat().st_size
    with pytest.raises(InputError, match="is for a Linux board, and fixture_board is a microcontroller"):
        model_line(model, micro, budget(micro))
    for read in (elf_lines, binary_line):
        with pytest.raises(InputError, match="is firmware, and raspberry_pi_4b takes none"):
            read(fixture_elf, linux, budget(linux))
