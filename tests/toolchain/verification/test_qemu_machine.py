from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.errors import InputError, ToolMissingError
from toolchain.profiles.schema import Emulation
from toolchain.verification.elf import read_elf
from toolchain.verification.gdb import GdbClient, GdbError
from toolchain.verification.qemu_machine import QemuMachine, fits, machine_profile


def test_machine_has_its_own_memories() -> None:
    regions = machine_profile(firmware.profile()).regions
    assert [(r.kind, r.origin, r.available_bytes) for r in regions] == [
        ("flash", 0x0800_0000, 1_048_576),
        ("sram", 0x2000_0000, 131_072),
    ]


def test_board_without_a_machine_is_told() -> None:
    with pytest.raises(ToolMissingError, match="QEMU has no machine near fixture_board"):
        machine_profile(firmware.profile(emulation=None))
    with pytest.raises(InputError, match="not where its memories are; add qemu_flash_origin"):
        machine_profile(firmware.profile(emulation=Emulation(qemu_machine="microbit", source="made up")))


def test_image_that_lies_elsewhere_does_not_fit(fixture_elf: Path) -> None:
    image = read_elf(fixture_elf)
    machine = machine_profile(firmware.profile())
    assert fits(image, machine)
    smaller = machine.regions[1].model_copy(update={"size_bytes": 1024})
    assert not fits(image, machine.model_copy(update={"regions": (machine.regions[0], smaller)}))


def test_missing_qemu_is_told(fixture_elf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ToolMissingError, match="qemu-system-arm is not installed; on Debian: apt-get install"
    ):
        QemuMachine(read_elf(fixture_elf), firmware.profile())


def test_unknown_machine_says_what_qemu_said(fixture_elf: Path, require_tool: Callable[[str], str]) -> None:
    require_tool("qemu-system-arm")
    emulation = firmware.profile().emulation
    assert emulation is not None
    board = firmware.profile(emulation=emulation.model_copy(update={"qemu_machine": "nosuchmachine"}))
    with (
        pytest.raises(InputError, match="cannot be run on QEMU's nosuchmachine: .*[Mm]achine"),
        QemuMachine(read_elf(fixture_elf), board),
    ):
        raise AssertionError("it must not start")


@pytest.mark.parametrize("error", [GdbError("broken"), KeyboardInterrupt()])
def test_qemu_is_killed_whatever_happens(
    fixture_elf: Path,
    require_tool: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    require_tool("qemu-system-arm")
    machine = QemuMachine(read_elf(fixture_elf), firmware.profile())

    def fail(_: GdbClient, address: int) -> None:
        raise error

    monkeypatch.setattr(GdbClient, "set_breakpoint", fail)
    with pytest.raises((InputError, KeyboardInterrupt)), machine:
        raise AssertionError("it must not start")
    child = machine._child
    assert child is not None and child.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
