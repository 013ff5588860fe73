from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support import firmware
from tests.support.firmware import GRAPH
from toolchain.errors import InputError, OutputsDifferError, ToolMissingError
from toolchain.profiles.schema import Emulation
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.mailbox import Mailbox, stack_high_water
from toolchain.verification.runtimes.unicorn import UnicornRuntime

pytest.importorskip("unicorn")


def runtime(elf: Path, limit_s: float = 10.0, **changes: object) -> UnicornRuntime:
    return UnicornRuntime(elf, firmware.profile(**changes), GRAPH, limit_s)


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (firmware.READ_NOWHERE, r"read 4 bytes at 0x40000000.*PC 0x0800\w{4}, in net_infer"),
        (firmware.WRITE_NOWHERE, r"wrote 4 bytes at 0x40000000.*in net_infer"),
        (firmware.WRITE_FLASH, r"wrote 4 bytes at 0x0800\w{4}, which is flash"),
        (firmware.RUN_NOWHERE, "ran into an address without code.*PC 0x50000000"),
        (firmware.UNDEFINED, "Invalid instruction"),
        (firmware.SUPERVISOR_CALL, "made a supervisor call"),
    ],
)
def test_trouble_ends_with_its_address_and_place(fixture_elf: Path, trouble: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        runtime(fixture_elf).scores(firmware.image(trouble)[np.newaxis])


@pytest.mark.parametrize(
    ("symbol", "changes"),
    [
        ("spikenas_mailbox", {"address": 0xFFFF_FF00}),
        ("_stack_top", {"address": 0xFFFF_FFF0}),
        ("_stack_top", {"address": 0x10}),
        ("net_arena", {"address": 0xE000_0000}),
    ],
)
def test_symbols_that_lie_are_one_sentence(fixture_elf: Path, symbol: str, changes: dict[str, int]) -> None:
    """A hostile image may claim that its mailbox, stack or arena is where the board has no memory."""
    opened = runtime(fixture_elf)
    opened.image.symbols[symbol] = replace(opened.image.symbol(symbol), **changes)
    with pytest.raises(InputError, match="which is not in what fixture_board gives to the network"):
        machine = Emulator(opened.image, firmware.profile())
        Mailbox.of(opened.image, GRAPH).boot(machine)
        stack_high_water(machine, opened.image)
        opened.inspect(firmware.image(0))


def test_hang_is_stopped(fixture_elf: Path) -> None:
    with pytest.raises(InputError, match=r"did not ask for work within 0\.2 s.*in net_infer"):
        runtime(fixture_elf, limit_s=0.2).scores(firmware.image(firmware.HANG)[np.newaxis])


def test_stack_that_grows_out_of_memory_faults(fixture_elf: Path) -> None:
    # The fixture's mailbox and arena lie below its stack, so it has to grow through them first.
    with pytest.raises(InputError, match=r"wrote \d bytes at 0x1fff\w{4}, where there is no memory.*in deep"):
        runtime(fixture_elf).scores(firmware.image(firmware.DEEP_STACK, 250)[np.newaxis])


def test_reserved_memory_is_not_there(fixture_elf: Path) -> None:
    """A whole page that somebody else keeps is not mapped, although the chip has it."""
    sram = firmware.region(
        "sram", "sram", 0x1FFF_E000, 16_384, ("buffers", "stack"), reserved_bytes=4096 * 2 + 256
    )
    board = {"regions": (firmware.profile().regions[0], sram)}
    with pytest.raises(InputError, match="0x1fff"):
        runtime(fixture_elf, **board).scores(firmware.image(firmware.DEEP_STACK, 250)[np.newaxis])


def test_image_outside_the_memories_is_refused(fixture_elf: Path) -> None:
    flash = firmware.region("flash", "flash", 0x0800_8000, 32_768, ("code", "weights"))
    with pytest.raises(
        InputError, match="loads .* bytes at 0x08000000, which is not in what fixture_board gives"
    ):
        runtime(fixture_elf, regions=(flash, firmware.profile().regions[1]))


def test_memory_is_not_zero_at_power_on(fixture_elf: Path) -> None:
    machine = Emulator(read_elf(fixture_elf), firmware.profile())
    assert 0 not in machine.read(0x2000_2000, 64)


def test_core_that_unicorn_lacks_is_told(fixture_elf: Path) -> None:
    with pytest.raises(
        ToolMissingError, match=r"unicorn .* cannot run the core of fixture_board \(cortex-m55\).*qemu"
    ):
        runtime(
            fixture_elf, core="cortex-m55", emulation=Emulation(qemu_machine="mps3-an547", source="made up")
        )


def test_older_core_refuses_newer_instructions(fixture_elf: Path) -> None:
    """The fixture is compiled for an M4; an M0 must not run it, as the M-profile flag would let it."""
    with pytest.raises(InputError, match="Invalid instruction|exception"):
        runtime(
            fixture_elf, core="cortex-m0plus", emulation=Emulation(unicorn_cpu="CORTEX_M0", source="made up")
        )


def test_missing_unicorn_is_told(fixture_elf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unicorn", None)
    with pytest.raises(ToolMissingError, match=r"pip install spikenas-deploy\[mcu\]"):
        runtime(fixture_elf)


def test_failed_self_test_is_told(tmp_path: Path, require_package) -> None:  # type: ignore[no-untyped-def]
    require_package("ziglang")
    with pytest.raises(OutputsDifferError, match="fails its self-test"):
        runtime(firmware.build(tmp_path, "-DKNOWN=1"))
