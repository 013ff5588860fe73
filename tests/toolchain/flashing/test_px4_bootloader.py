"""Our client of the PX4 and ArduPilot bootloader against a simulated board on a pseudo-terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import flight
from tests.support.px4_board import Px4Board
from tests.toolchain.flashing.conftest import FlightOf, RunOf
from toolchain.cli.main import main
from toolchain.errors import InputError, OutputsDifferError
from toolchain.flashing import px4_bootloader
from toolchain.flashing.px4_bootloader import open_bootloader
from toolchain.profiles import load

FLASH_BYTES = (
    load("pixhawk_6c").region("flash").size_bytes - load("pixhawk_6c").region("flash").bootloader_bytes
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, require_package: Callable[[str], None]) -> None:
    require_package("serial")
    monkeypatch.setattr(px4_bootloader, "ANSWER_S", 0.3)


def quiet(message: str) -> None:
    pass


def arguments(run_of: RunOf, flight_of: FlightOf, port: str) -> list[str]:
    """Flash the flight firmware of a Pixhawk, given as a .px4 file."""
    run, (binary, elf) = run_of("pixhawk_6c"), flight_of("pixhawk_6c")
    file = flight.bundle(binary, 56)
    return ["flash", str(run.path), "--firmware", str(file), "--elf", str(elf), "--port", port, "--json"]


def test_the_board_holds_the_firmware_and_is_started(
    run_of: RunOf, flight_of: FlightOf, capsys: pytest.CaptureFixture[str]
) -> None:
    content = flight_of("pixhawk_6c")[0].read_bytes()
    with Px4Board(56, FLASH_BYTES) as board:
        assert main(arguments(run_of, flight_of, board.port)) == 0
    assert board.flash == content.ljust(FLASH_BYTES, b"\xff") and board.rebooted
    document = json.loads(capsys.readouterr().out)
    assert document["tool"] == "px_uploader" and "CRC32" in document["verified"]
    (written,) = document["written"]
    assert written["where"] == "flash at 0x08020000" and written["size_bytes"] == len(content)


def test_a_dry_run_does_not_touch_the_board(run_of: RunOf, flight_of: FlightOf) -> None:
    with Px4Board(56, FLASH_BYTES) as board:
        assert main([*arguments(run_of, flight_of, board.port), "--dry-run"]) == 0
    assert not board.erased and not board.rebooted


def test_a_board_that_starts_slowly_is_waited_for() -> None:
    with Px4Board(56, 4096, silent=3) as board, open_bootloader(board.port, quiet, limit_s=5) as found:
        assert found.board == 56 and found.flash_bytes == 4096


def test_another_board_is_not_erased(
    run_of: RunOf, flight_of: FlightOf, capsys: pytest.CaptureFixture[str]
) -> None:
    with Px4Board(140, FLASH_BYTES) as board:
        assert main(arguments(run_of, flight_of, board.port)) == 3
    assert not board.erased and "has number 140, and pixhawk_6c has 56" in capsys.readouterr().err


def test_a_board_with_too_little_flash_is_not_erased(
    run_of: RunOf, flight_of: FlightOf, capsys: pytest.CaptureFixture[str]
) -> None:
    with Px4Board(56, 1024) as board:
        assert main(arguments(run_of, flight_of, board.port)) == 3
    assert not board.erased and "the board takes 1024" in capsys.readouterr().err


def test_flash_that_does_not_take_a_bit_is_found(run_of: RunOf, flight_of: FlightOf) -> None:
    content = flight_of("pixhawk_6c")[0].read_bytes()
    place = next(index for index, byte in enumerate(content) if not byte & 1)
    with Px4Board(56, FLASH_BYTES, defect=place) as board:
        assert main(arguments(run_of, flight_of, board.port)) == OutputsDifferError.exit_code
    assert board.erased and not board.rebooted


@pytest.mark.parametrize("revision", [2, 6])
def test_a_revision_that_is_not_known_is_refused_at_once(revision: int) -> None:
    with (
        Px4Board(56, 4096, revision=revision) as board,
        pytest.raises(InputError, match=f"speaks revision {revision}"),
        open_bootloader(board.port, quiet),
    ):
        pass


def test_a_refused_erase_is_told() -> None:
    with (
        Px4Board(56, 4096, fails=0x23) as board,
        open_bootloader(board.port, quiet) as found,
        pytest.raises(InputError, match="asked to erase, and that failed; .* bootloader is intact"),
    ):
        found.erase()


def test_nobody_there_ends_in_time(tmp_path: Path) -> None:
    with (
        Px4Board(56, 4096, silent=10**9) as board,
        pytest.raises(InputError, match="no bootloader answered"),
        open_bootloader(board.port, quiet, limit_s=0.5),
    ):
        pass
    with pytest.raises(InputError, match="no bootloader answered"), open_bootloader("/dev/none", quiet, 0.2):
        pass
