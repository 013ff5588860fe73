"""What the firmware did while it computed: instructions, writes to the arena, stack depth, accesses out of place.

It costs a Python call for each block of instructions and each write to the arena, so a few images are
inspected and the rest run free. Instructions are counted, not cycles: no wait states, caches or dual issue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from toolchain.verification.elf import Image
from toolchain.verification.emulator import PAGE_BYTES, Emulator

MAX_STRAYS = 10
"""Accesses out of place that are told one by one; more say no more."""


@dataclass
class Inspection:
    """One inspected stretch of execution.

    ``written`` has a byte for each byte of the arena, 1 where it was written. ``lowest_stack`` is the lowest
    stack pointer at the start of a block of instructions. ``strays`` are accesses outside arena, mailbox and
    stack, told as sentences' ends.
    """

    written: bytearray
    lowest_stack: int = 1 << 32
    strays: list[str] = field(default_factory=list)
    blocks: Counter[tuple[int, int]] = field(default_factory=Counter)
    instructions: int = 0


@contextmanager
def inspected(machine: Emulator) -> Iterator[Inspection]:
    """Inspect whatever ``machine`` runs inside the ``with``; the result is complete when it ends."""
    arena = machine.image.symbol("net_arena")
    found = Inspection(bytearray(arena.size_bytes))
    unicorn, core = machine.unicorn, machine.core
    sp = machine.arm.UC_ARM_REG_SP

    def on_block(_core: Any, address: int, size: int, _: Any) -> None:
        found.blocks[address, size] += 1
        found.lowest_stack = min(found.lowest_stack, core.reg_read(sp))

    def on_write(_core: Any, _access: int, address: int, size: int, _value: int, _: Any) -> None:
        start = address - arena.address
        found.written[max(start, 0) : start + size] = b"\1" * (min(start, 0) + size)

    def on_stray(_core: Any, access: int, address: int, size: int, _value: int, _: Any) -> None:
        if len(found.strays) < MAX_STRAYS:
            pc = core.reg_read(machine.arm.UC_ARM_REG_PC)
            verb = "wrote" if access == unicorn.UC_MEM_WRITE else "read"
            where = machine.image.function_at(pc)
            found.strays.append(f"{verb} {size} bytes at 0x{address:08x} (PC 0x{pc:08x}, in {where})")

    access = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
    hooks = [core.hook_add(unicorn.UC_HOOK_BLOCK, on_block)]
    if arena.size_bytes:
        last = arena.address + arena.size_bytes - 1
        hooks.append(core.hook_add(unicorn.UC_HOOK_MEM_WRITE, on_write, begin=arena.address, end=last))
    for first, end in forbidden(machine):
        hooks.append(core.hook_add(access, on_stray, begin=first, end=end - 1))
    core.ctl_flush_tb()
    try:
        yield found
    finally:
        for hook in hooks:
            core.hook_del(hook)
        core.ctl_flush_tb()
    found.instructions = sum(
        instructions(machine.read(address, size)) * times for (address, size), times in found.blocks.items()
    )


def instructions(block: bytes) -> int:
    """Number of Thumb instructions in ``block``: one of 32 bits begins with 11101, 11110 or 11111 (ARM ARM A5.1)."""
    count = position = 0
    while position < len(block):
        position += 4 if block[position + 1] >> 3 >= 0b11101 else 2
        count += 1
    return count


def forbidden(machine: Emulator) -> list[tuple[int, int]]:
    """Mapped addresses (first, end) that the network has no business with: SRAM beside arena, mailbox and stack,
    and what of a page belongs to no memory of the profile, or to somebody else's firmware."""
    image = machine.image
    allowed = sorted(
        [_range(image, "net_arena"), _range(image, "spikenas_mailbox")]
        + [(image.symbol("_stack_limit").address, image.symbol("_stack_top").address)]
        + [
            (r.available_origin, r.available_origin + r.available_bytes)
            for r in machine.profile.regions
            if r.kind == "flash"
        ]
    )
    gaps = []
    for region in machine.profile.regions:
        first = region.available_origin // PAGE_BYTES * PAGE_BYTES
        end = -(-(region.available_origin + region.available_bytes) // PAGE_BYTES) * PAGE_BYTES
        for start, stop in allowed:
            if first < stop and start < end:
                gaps.append((first, start))
                first = stop
        gaps.append((first, end))
    return [(first, end) for first, end in gaps if first < end]


def _range(image: Image, name: str) -> tuple[int, int]:
    symbol = image.symbol(name)
    return symbol.address, symbol.address + symbol.size_bytes
