from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image, Section, Segment, Symbol
from toolchain.verification.firmware_lines import FirmwareUse, NetworkLimits, firmware_use

KIB = 1024
FLASH, SRAM = 0x0800_0000, 0x2000_0000
BOARD = load("stm32f405")
HOSTED = load("crazyflie_2_1")
NONE = NetworkLimits()


def image(flash_at: int = FLASH, flash_bytes: int = 100 * KIB, sram_bytes: int = 20 * KIB) -> Image:
    sections = (
        Section(".text", flash_at, flash_bytes, True, flash_at),
        Section(".bss", SRAM, sram_bytes, False),
    )
    objects = (Symbol("net_infer", flash_at, 30 * KIB, True), Symbol("net_arena", SRAM, 5 * KIB))
    return Image(Path("cf2.elf"), (), sections, {}, objects)


def use(
    found: Image, board: Profile | None = BOARD, network: NetworkLimits = NONE, **limits: int
) -> FirmwareUse:
    assert board is not None
    return firmware_use(found, board, budget(board, **limits), network)  # type: ignore[arg-type]


def figures(found: FirmwareUse) -> dict[str, tuple[int, int | None]]:
    return {line.resource: (line.used, line.available) for line in found.lines}


def test_a_standalone_board_s_budget_is_the_image_s() -> None:
    assert figures(use(image())) == {
        "flash": (100 * KIB, 1024 * KIB),
        "sram": (20 * KIB, 128 * KIB),
        "ccm": (0, 64 * KIB),
        "sram in all": (20 * KIB, 192 * KIB),
        "flash, network": (30 * KIB, None),
        "sram, network": (5 * KIB, None),
        "ccm, network": (0, None),
    }
    narrowed = use(image(), flash_bytes=64 * KIB)
    assert [line.resource for line in narrowed.lines if line.over] == ["flash"]


def test_a_hosted_board_s_budget_is_the_network_s() -> None:
    found = figures(use(image(FLASH + 16 * KIB, 500 * KIB), HOSTED))
    # What is before the image is the bootloader's, and free is only what is behind.
    assert found["flash"] == (500 * KIB, 1008 * KIB)
    assert found["sram"] == (20 * KIB, 128 * KIB)
    flash, sram = (HOSTED.region(name).available_bytes for name in ("flash", "sram"))
    assert found["flash, network"] == (30 * KIB, flash) and found["sram, network"] == (5 * KIB, sram)
    narrowed = use(image(FLASH + 16 * KIB, 500 * KIB), HOSTED, flash_bytes=20 * KIB)
    assert [line.resource for line in narrowed.lines if line.over] == ["flash, network"]


def test_limits_of_the_network_alone() -> None:
    found = use(image(), network=NetworkLimits(flash_bytes=16 * KIB, sram_bytes=8 * KIB))
    assert [line.resource for line in found.lines if line.over] == ["flash, network"]
    assert figures(found)["sram in all, network"] == (5 * KIB, 8 * KIB)


def test_an_image_that_has_the_boot_stage_with_it() -> None:
    """On an RP2040 the first 256 bytes are the boot stage's; a user's own image brings them along."""
    board = load("rp2040")
    boot = Section(".boot2", 0x1000_0000, 256, True, 0x1000_0000)
    text = Section(".text", 0x1000_0100, 1000, True, 0x1000_0100)
    found = figures(firmware_use(Image(Path("pico.elf"), (), (boot, text), {}), board, budget(board)))
    assert found["flash"] == (1256, 2048 * KIB)


def test_what_is_reserved_at_the_end_is_not_free() -> None:
    region = replace_region(reserved_bytes=1024, reserved_at="end")
    board = firmware.profile(regions=(region, *firmware.profile().regions[1:]))
    text = Section(".text", FLASH, 65_000, True, FLASH)
    (line, *_) = firmware_use(Image(Path("x.elf"), (), (text,), {}), board, budget(board)).lines
    assert (line.used, line.available) == (65_000, 65_536 - 1024) and line.over


def replace_region(**changes: object):  # type: ignore[no-untyped-def]
    return firmware.region("flash", "flash", FLASH, 65_536, ("code", "weights"), **changes)


def test_what_lies_in_no_memory_is_noted_and_counted() -> None:
    lost = [Section(f".part{index}", 0x4000_0000 + 100 * index, 10, False) for index in range(6)]
    found = use(replace(image(), sections=(*image().sections, *lost)))
    assert figures(found)["elsewhere"] == (60, None)
    assert found.notes == [
        "60 bytes of cf2.elf lie in no memory of stm32f405 and are held to no limit "
        "(.part0, .part1, .part2, .part3 and 2 more, from 0x40000000)"
    ]


def test_an_image_without_a_network_is_noted() -> None:
    found = use(replace(image(), objects=()))
    assert not any("network" in line.resource for line in found.lines)
    assert "shows no exported network by its symbols" in found.notes[0]


def test_limits_of_a_network_that_is_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="has limits for its network, and no symbols of one"):
        use(replace(image(), objects=()), network=NetworkLimits(flash_bytes=1))
    segments = (Segment(FLASH, FLASH, 4, b"code"),)
    with pytest.raises(InputError, match="has limits for its network"):
        use(Image(Path("cf2.hex"), segments, (), {}), network=NetworkLimits(sram_bytes=1))


def test_an_image_for_another_board_is_refused() -> None:
    with pytest.raises(InputError, match="puts nothing into the flash of stm32f405 .it begins at 0x10000000"):
        use(image(0x1000_0000))
    with pytest.raises(InputError, match="is firmware, and jetson_nano takes none"):
        use(image(), load("jetson_nano"))


def test_a_file_without_sections_says_nothing_of_sram() -> None:
    found = Image(Path("cf2.hex"), (Segment(FLASH, FLASH, 4, b"code"),), (), {})
    assert [line.resource for line in firmware_use(found, BOARD, budget(BOARD)).lines] == ["flash"]
    into_ram = Image(Path("cf2.hex"), (*found.segments, Segment(SRAM, SRAM, 4, b"data")), (), {})
    assert [line.resource for line in firmware_use(into_ram, BOARD, budget(BOARD)).lines] == [
        "flash",
        "sram",
        "sram in all",
    ]
    limits = replace(budget(BOARD), regions=(), flash_bytes=3, sram_bytes=None)
    lines = firmware_use(found, None, limits).lines
    assert [(line.resource, line.used, line.available) for line in lines] == [("flash", 4, 3)]
