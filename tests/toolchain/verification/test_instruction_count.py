from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.instruction_count import counted, thumb_instructions
from toolchain.verification.mailbox import Mailbox

unicorn = pytest.importorskip("unicorn")


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("", 0),
        ("00bf", 1),  # nop
        ("dff800d0", 1),  # ldr.w: begins with 11111
        ("40f20102", 1),  # movw: begins with 11110
        ("2de9f041", 1),  # push.w: begins with 11101
        ("fee700bf2de9f04100bf", 4),  # b (11100 is 16 bits), nop, push.w, nop
    ],
)
def test_instructions_of_a_block(code: str, count: int) -> None:
    assert thumb_instructions(bytes.fromhex(code)) == count


@pytest.mark.parametrize("pixels", [(1, 2, 3), (firmware.WORK,), (firmware.DEEP_STACK, 5)])
def test_count_is_that_of_single_instructions(fixture_elf: Path, pixels: tuple[int, ...]) -> None:
    image = read_elf(fixture_elf)
    machine = Emulator(image, firmware.profile())
    mailbox = Mailbox.of(image, firmware.GRAPH)
    mailbox.boot(machine)
    with counted(machine) as count:
        mailbox.infer(machine, firmware.image(*pixels))
    one_by_one = 0

    def on_instruction(*_: object) -> None:
        nonlocal one_by_one
        one_by_one += 1

    machine.core.hook_add(unicorn.UC_HOOK_CODE, on_instruction)
    machine.core.ctl_flush_tb()
    mailbox.infer(machine, firmware.image(*pixels))
    assert count.instructions == one_by_one > 50


def test_stack_pointer_is_followed(fixture_elf: Path) -> None:
    image = read_elf(fixture_elf)
    machine = Emulator(image, firmware.profile())
    mailbox = Mailbox.of(image, firmware.GRAPH)
    mailbox.boot(machine)
    lowest = []
    for depth in (0, 10):
        with counted(machine) as count:
            mailbox.infer(machine, firmware.image(firmware.DEEP_STACK, depth))
        lowest.append(count.lowest_stack)
    assert lowest[0] - lowest[1] >= 10 * 16
    assert lowest[0] <= image.symbol("_stack_top").address
