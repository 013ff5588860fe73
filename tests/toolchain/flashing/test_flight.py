"""A flight firmware is flashed only if it is whole, for this board, and holds this network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import flight
from tests.toolchain.flashing.conftest import FlightOf, RunOf
from toolchain.errors import InputError, OverBudgetError
from toolchain.flashing.flight import flight_firmware
from toolchain.graph.storage import load_graph
from toolchain.profiles import load
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.verification.elf import read_elf

BOARDS = ("crazyflie_2_1", "pixhawk_6c")


def graph_sha256(run: RunFolder) -> str:
    return load_graph(run.path).sha256()


def changed(profile: Profile, region: str, **values: Any) -> Profile:
    """``profile`` with another region of that name."""
    regions = tuple(r.model_copy(update=values) if r.name == region else r for r in profile.regions)
    return profile.model_copy(update={"regions": regions})


@pytest.mark.parametrize("board", BOARDS)
def test_a_firmware_with_the_network_is_taken_as_it_is(
    run_of: RunOf, flight_of: FlightOf, board: str
) -> None:
    run, (binary, elf) = run_of(board), flight_of(board)
    found = flight_firmware(binary, elf, run.profile(), graph_sha256(run))
    flash = run.profile().region("flash")
    assert found.image.data == binary.read_bytes()
    assert found.image.address == flash.origin + flash.bootloader_bytes
    assert found.image.sha256 == hashlib.sha256(binary.read_bytes()).hexdigest() and not found.notes


def test_the_header_of_an_elf_is_no_part_of_the_firmware(
    run_of: RunOf, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    require_tool("arm-none-eabi-gcc")
    run = run_of("crazyflie_2_1")
    binary, elf = flight.build(run.artifacts / "c", run.profile(), tmp_path, compiler="gcc")
    # GNU ld has room for it on the first page of 64 KiB: in the bootloader, where nothing may be written.
    assert min(part.load_address for part in read_elf(elf).segments) < 0x0800_4000
    found = flight_firmware(binary, elf, run.profile(), graph_sha256(run))
    assert found.image.address == 0x0800_4000 and found.image.data == binary.read_bytes()


def test_a_px4_file_is_inflated(run_of: RunOf, flight_of: FlightOf) -> None:
    run, (binary, elf) = run_of("pixhawk_6c"), flight_of("pixhawk_6c")
    found = flight_firmware(flight.bundle(binary, 56), elf, run.profile(), graph_sha256(run))
    assert found.image.data == binary.read_bytes() and found.image.board == 56


def test_a_firmware_for_another_board_is_refused(run_of: RunOf, flight_of: FlightOf) -> None:
    run, (binary, elf) = run_of("pixhawk_6c"), flight_of("pixhawk_6c")
    with pytest.raises(InputError, match="built for board number 140, and pixhawk_6c has 56"):
        flight_firmware(flight.bundle(binary, 140), elf, run.profile(), graph_sha256(run))


def test_a_firmware_with_another_network_is_refused(run_of: RunOf, flight_of: FlightOf) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    with pytest.raises(InputError, match="does not hold this network"):
        flight_firmware(binary, elf, run.profile(), hashlib.sha256(b"another").hexdigest())


def test_a_firmware_without_a_network_is_refused(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of("crazyflie_2_1")
    binary, elf = flight.build(run.artifacts / "c", run.profile(), tmp_path, with_network=False)
    with pytest.raises(InputError, match="does not hold this network"):
        flight_firmware(binary, elf, run.profile(), graph_sha256(run))


def test_a_hash_that_only_lies_about_is_no_network(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of("crazyflie_2_1")
    binary, elf = flight.build(run.artifacts / "c", run.profile(), tmp_path, with_network=False, padding=200)
    digest, padding = bytes.fromhex(graph_sha256(run)), b"\x01" + bytes(100)
    for path in (binary, elf):
        assert path.read_bytes().count(padding) == 1
        path.write_bytes(path.read_bytes().replace(padding, b"\x01" + digest + bytes(100 - len(digest))))
    with pytest.raises(InputError, match="does not hold this network"):
        flight_firmware(binary, elf, run.profile(), graph_sha256(run))


@pytest.mark.parametrize("place", [0, 300, -1])
def test_a_file_of_another_build_than_its_elf_is_refused(
    run_of: RunOf, flight_of: FlightOf, tmp_path: Path, place: int
) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    content = bytearray(binary.read_bytes())
    content[place] ^= 0x55
    (tmp_path / "cf2.bin").write_bytes(content)
    with pytest.raises(InputError, match="give the two files of one build"):
        flight_firmware(tmp_path / "cf2.bin", elf, run.profile(), graph_sha256(run))


@pytest.mark.parametrize(("tail", "good"), [(b"\xff" * 60, True), (b"\0" * 3, True), (b"\xff" * 8192, False)])
def test_a_file_may_be_filled_up_to_a_page(
    run_of: RunOf, flight_of: FlightOf, tmp_path: Path, tail: bytes, good: bool
) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    (tmp_path / "cf2.bin").write_bytes(binary.read_bytes() + tail)
    if good:
        flight_firmware(tmp_path / "cf2.bin", elf, run.profile(), graph_sha256(run))
    else:
        with pytest.raises(InputError, match="one build"):
            flight_firmware(tmp_path / "cf2.bin", elf, run.profile(), graph_sha256(run))


@pytest.mark.parametrize("start", [0x0800_0000, 0x0800_3C00, 0x0806_8000, 0x1000_0000])
def test_a_firmware_that_begins_elsewhere_is_refused(run_of: RunOf, tmp_path: Path, start: int) -> None:
    run = run_of("crazyflie_2_1")
    binary, elf = flight.build(run.artifacts / "c", run.profile(), tmp_path, start=start)
    with pytest.raises(InputError, match=rf"begins at 0x{start:08x}"):
        flight_firmware(binary, elf, run.profile(), graph_sha256(run))


def test_a_firmware_that_is_too_large_is_over_budget(run_of: RunOf, tmp_path: Path) -> None:
    run = run_of("crazyflie_2_1")
    binary, elf = flight.build(run.artifacts / "c", run.profile(), tmp_path, padding=1 << 20)
    with pytest.raises(OverBudgetError, match=r"\d+ bytes too large for flash of crazyflie_2_1"):
        flight_firmware(binary, elf, run.profile(), graph_sha256(run))


def test_sram_that_overflows_is_over_budget(run_of: RunOf, flight_of: FlightOf) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    small = changed(run.profile(), "sram", size_bytes=1024, reserved_bytes=0)
    with pytest.raises(OverBudgetError, match="overflows sram of crazyflie_2_1 by"):
        flight_firmware(binary, elf, small, graph_sha256(run))


def test_a_network_in_a_memory_that_the_board_has_not_is_refused(run_of: RunOf, flight_of: FlightOf) -> None:
    run, (binary, elf) = run_of("crazyflie_2_1"), flight_of("crazyflie_2_1")
    elsewhere = changed(run.profile(), "sram", origin=0x2400_0000)
    with pytest.raises(InputError, match="has net_arena at 0x2000"):
        flight_firmware(binary, elf, elsewhere, graph_sha256(run))


def test_every_hosted_profile_says_where_its_bootloader_ends() -> None:
    for board in BOARDS:
        assert load(board).region("flash").bootloader_bytes > 0
