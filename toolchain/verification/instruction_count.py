"""Exact numbers of instructions under unicorn: a call for each block of them, whose Thumb code is decoded once.

They are instructions, not cycles: no wait states, caches or dual issue.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from toolchain.verification.emulator import Emulator


@dataclass
class Count:
    """``instructions`` executed; ``lowest_stack`` is the lowest stack pointer at the start of any block of them."""

    instructions: int = 0
    lowest_stack: int = 1 << 32


@contextmanager
def counted(machine: Emulator) -> Iterator[Count]:
    """Count what ``machine`` executes inside the ``with``; the result is complete when it ends."""
    core, stack_pointer = machine.core, machine.arm.UC_ARM_REG_SP
    blocks: dict[tuple[int, int], int] = {}
    count = Count()

    def on_block(_core: Any, address: int, size: int, _: Any) -> None:
        block = (address, size)
        if block in blocks:
            blocks[block] += 1
        else:
            # Reading a register takes longer than all the rest, and a block's frame is the same each time.
            blocks[block] = 1
            count.lowest_stack = min(count.lowest_stack, core.reg_read(stack_pointer))

    hook = core.hook_add(machine.unicorn.UC_HOOK_BLOCK, on_block)
    # What was translated before has no call in it, and what is translated now must not keep one.
    core.ctl_flush_tb()
    try:
        yield count
    finally:
        core.hook_del(hook)
        core.ctl_flush_tb()
    count.instructions = sum(
        thumb_instructions(machine.read(*block)) * times for block, times in blocks.items()
    )


def thumb_instructions(block: bytes) -> int:
    """Number of Thumb instructions in ``block``: one of 32 bits begins with 11101, 11110 or 11111 (ARM ARM A5.1)."""
    count = position = 0
    while position < len(block):
        position += 4 if block[position + 1] >> 3 >= 0b11101 else 2
        count += 1
    return count
