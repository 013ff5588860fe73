"""Every way to put the network's own image on a board with a firmware of its own, and each is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support import flight
from tests.support.px4_board import Px4Board
from tests.support.verified import verified_run
from tests.toolchain.flashing.conftest import Fake, FlightOf, RunOf
from toolchain.cli.main import main
from toolchain.errors import InputError
from toolchain.flashing.flash import Request, prepare
from toolchain.flashing.image import firmware_image, require_place
from toolchain.flashing.tools.catalog import TOOLS
from toolchain.profiles import load
from toolchain.runs import RunFolder

BOARDS = ("crazyflie_2_1", "pixhawk_6c")
PROGRAMS = [name for tool in TOOLS.values() for name in tool.programs]
REACHED = ("--port", "/dev/null", "--interface", "stlink")


@pytest.fixture
def nothing_runs(fake: Fake) -> Callable[[], bool]:
    """Every program is there, and none of them was called."""
    records = [fake(name) for name in PROGRAMS]
    return lambda: not any(record.exists() for record in records)


def flash(*arguments: object) -> int:
    return main(["flash", *map(str, arguments), "--json"])


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("more", [(), ("--standalone",), ("--erase-flight-firmware",), ("--force",)])
def test_no_option_and_no_tool_alone_is_enough(
    run_of: RunOf, nothing_runs: Callable[[], bool], board: str, more: tuple[str, ...]
) -> None:
    run = run_of(board)
    for tool in (None, *TOOLS):
        named = () if tool is None else ("--tool", tool)
        for port in ((), REACHED):
            # --force is no option at all: nothing here can be forced.
            assert flash(run.path, *more, *named, *port) == (2 if more == ("--force",) else 3)
    assert nothing_runs()


@pytest.mark.parametrize("board", BOARDS)
def test_both_options_do_not_write_behind_the_firmware(
    run_of: RunOf, nothing_runs: Callable[[], bool], board: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(board)
    for tool in (None, *TOOLS):
        named = () if tool is None else ("--tool", tool)
        assert flash(run.path, "--standalone", "--erase-flight-firmware", *named, *REACHED) == 3
    assert "make a profile that inherits" in capsys.readouterr().err and nothing_runs()


@pytest.mark.parametrize("board", BOARDS)
def test_the_image_is_no_flight_firmware(
    run_of: RunOf, nothing_runs: Callable[[], bool], board: str, tmp_path: Path
) -> None:
    run = run_of(board)
    binary, elf = run.artifacts / "firmware.bin", run.artifacts / "firmware.elf"
    disguised = [Path(shutil.copy(binary, tmp_path / name)) for name in ("cf2.bin", "x.px4", "x.apj")]
    disguised.append(flight.bundle(tmp_path / "cf2.bin", 56))
    for file in (binary, *disguised):
        assert flash(run.path, "--firmware", file, "--elf", elf, *REACHED) == 3
    assert nothing_runs()


def test_the_image_of_a_standalone_run_is_no_flight_firmware(
    run_of: RunOf, nothing_runs: Callable[[], bool]
) -> None:
    ours, other = run_of("crazyflie_2_1"), run_of("stm32f405")
    binary, elf = other.artifacts / "firmware.bin", other.artifacts / "firmware.elf"
    assert flash(ours.path, "--firmware", binary, "--elf", elf) == 3
    for name in ("firmware.bin", "firmware.elf"):
        shutil.copy(other.artifacts / name, ours.artifacts / name)
    assert flash(ours.path, "--standalone", "--erase-flight-firmware") == 3
    assert nothing_runs()


def test_a_profile_that_calls_itself_standalone_does_not_fit_the_verdict(
    run_of: RunOf, nothing_runs: Callable[[], bool]
) -> None:
    run = run_of("crazyflie_2_1")
    document = json.loads(run.profile_file.read_text())
    run.profile_file.write_text(json.dumps(document | {"role": "standalone", "flash_tools": ["cfloader"]}))
    assert flash(run.path) == 3 and nothing_runs()


def test_half_of_a_flight_firmware_is_none(
    run_of: RunOf, flight_of: FlightOf, nothing_runs: Callable[[], bool]
) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    for arguments in (
        ("--firmware", binary),
        ("--elf", elf),
        ("--firmware", binary, "--elf", elf, "--standalone", "--erase-flight-firmware"),
        ("--firmware", elf, "--elf", elf),
        ("--host", "pi@board"),
    ):
        assert flash(run.path, *arguments) == 3
    assert nothing_runs()


def own(folder: Path, board: str = "crazyflie_2_1", **flash_region: Any) -> RunFolder:
    """A verified run for a hosted board of which all flash but what ``flash_region`` says is the network's."""
    base = load(board)
    regions = tuple(
        r.model_copy(update=flash_region if r.name == "flash" else {"reserved_bytes": 1024})
        for r in base.regions
    )
    return verified_run(folder, base.model_copy(update={"regions": regions}))


def test_an_image_made_for_the_whole_board_takes_both_options(tmp_path: Path, fake: Fake) -> None:
    run = own(tmp_path / "run", reserved_bytes=16_384)
    calls = fake("cfloader", "print('Flashing 1 of 1 to stm32 (fw): ...')")
    for one, other in product((False, True), repeat=2):
        options = [*(["--standalone"] if one else []), *(["--erase-flight-firmware"] if other else [])]
        assert flash(run.path, *options) == (0 if one and other else 3)
    (words,) = [json.loads(line) for line in calls.read_text().splitlines()]
    assert words == ["flash", str(run.artifacts / "firmware.bin"), "stm32-fw"]


def test_the_same_over_the_serial_bootloader(tmp_path: Path, require_package: Callable[[str], None]) -> None:
    require_package("serial")
    run = own(tmp_path / "run", "pixhawk_6c", reserved_bytes=131_072)
    with Px4Board(56, 1_966_080) as board:
        for options in ((), ("--standalone",), ("--erase-flight-firmware",)):
            assert flash(run.path, "--port", board.port, *options) == 3 and not board.erased
        assert flash(run.path, "--port", board.port, "--standalone", "--erase-flight-firmware") == 0
    assert board.flash.rstrip(b"\xff") == (run.artifacts / "firmware.bin").read_bytes().rstrip(b"\xff")


def test_an_image_over_the_bootloader_is_never_written(tmp_path: Path) -> None:
    """Whatever the profile of the run says of it: here it knew of no bootloader, and gave its place to the network."""
    run = own(tmp_path / "run", reserved_bytes=8192, bootloader_bytes=0)
    with pytest.raises(InputError, match="into the bootloader of crazyflie_2_1"):
        require_place(firmware_image(run.artifacts), load("crazyflie_2_1"))


def test_a_request_from_code_is_held_to_the_same(run_of: RunOf) -> None:
    run = run_of("crazyflie_2_1")
    for one, other in ((True, False), (False, True), (False, False)):
        with pytest.raises(InputError, match="has a firmware of its own"):
            prepare(run, Request(standalone=one, erase_flight_firmware=other))
