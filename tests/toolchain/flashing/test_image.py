"""The run's own image: whole, and within what the board gives to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.flashing.conftest import RunOf
from toolchain.errors import InputError
from toolchain.flashing.image import firmware_image, require_place
from toolchain.flashing.job import Image
from toolchain.profiles import load
from toolchain.profiles.schema import Profile

BOARD = load("stm32f405")


def image(address: int, size: int = 100) -> Image:
    return Image(Path("firmware.bin"), address, bytes(size), Path("firmware.elf"))


def with_flash(**values: Any) -> Profile:
    regions = tuple(r.model_copy(update=values) if r.name == "flash" else r for r in BOARD.regions)
    return BOARD.model_copy(update={"regions": regions})


def test_the_image_is_what_the_elf_loads(run_of: RunOf) -> None:
    artifacts = run_of("stm32f405").artifacts
    found = firmware_image(artifacts)
    assert found.data == (artifacts / "firmware.bin").read_bytes() and found.address == 0x0800_0000
    (artifacts / "firmware.bin").write_bytes(found.data + b"\xff")
    with pytest.raises(InputError, match=r"is not what .*firmware\.elf loads"):
        firmware_image(artifacts)


@pytest.mark.parametrize(
    ("address", "size", "sentence"),
    [
        (0x0800_0000, 100, "into the bootloader of stm32f405 .*never written"),
        (0x0800_3FFF, 1, "into the bootloader"),
        (0x0800_4000, 100, "gives 0x08008000 to 0x08100000 of flash"),
        (0x080F_FFFF, 2, "gives 0x08008000"),
        (0x2000_0000, 4, "has no flash"),
        (0x07FF_FFFF, 4, "has no flash"),
        (0x0810_0000, 4, "has no flash"),
    ],
)
def test_bytes_outside_of_what_is_the_network_s_are_refused(address: int, size: int, sentence: str) -> None:
    profile = with_flash(reserved_bytes=0x8000, bootloader_bytes=0x4000)
    with pytest.raises(InputError, match=sentence):
        require_place(image(address, size), profile)


@pytest.mark.parametrize("at", ["start", "end"])
def test_all_of_what_is_given_may_be_filled(at: str) -> None:
    profile = with_flash(reserved_bytes=0x8000, reserved_at=at)
    region = profile.region("flash")
    whole = image(region.available_origin, region.available_bytes)
    assert require_place(whole, profile) == region
    for wrong in (replace(whole, address=whole.address + 1), replace(whole, data=whole.data + b"x")):
        with pytest.raises(InputError, match="gives 0x"):
            require_place(wrong, profile)
