"""Which bytes the firmware wrote while it computed one image, and whether anything but the image mattered.

Writes are found with paint, not with unicorn's memory hooks. Unicorn 2.1.4 loses the state of a Thumb IT block
when a hook is called within it, and then skips instructions, so hooked firmware runs on wrongly. Instead, the
arena and every mapped byte that is not the network's is painted, the image is run, and what no longer has the
paint was written; a second run with another paint finds the bytes that happened to be written with the first.
Both runs must give the same scores: nothing that was there before may matter, so stray reads show as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image
from toolchain.verification.emulator import PAGE_BYTES
from toolchain.verification.instruction_count import Count
from toolchain.verification.mailbox import Machine, Mailbox
from toolchain.verification.network_symbols import network_name

PAINTS = (0x5A, 0xA7)

Range = tuple[int, int]
"""First address, and the address behind the last."""


@dataclass(frozen=True)
class Inspection:
    """One inspected inference.

    ``written`` has a byte for each byte of the arena, 1 where it was written. ``strays`` are ranges that are not
    the network's and were written. ``repeatable`` says whether the scores are the same whatever memory held
    before. ``count`` is None where the emulator cannot count.
    """

    written: bytes
    strays: tuple[Range, ...]
    repeatable: bool
    count: Count | None


def inspect(
    machine: Machine,
    mailbox: Mailbox,
    image: NDArray[np.uint8],
    beside: Sequence[Range] = (),
    counting: AbstractContextManager[Count] | None = None,
) -> Inspection:
    """Run ``image`` uint8 [C, H, W] twice on the booted ``machine``, and tell what was done.

    ``beside`` are the ranges that must not be written; ``counting`` surrounds the first run, so that the second
    also shows that counting changed nothing.
    """
    arena = _symbol(mailbox.image, f"{network_name(mailbox.image)}_arena")
    changed = {extent: np.zeros(extent[1] - extent[0], bool) for extent in (arena, *beside)}
    scores = []
    count = None
    for paint, context in zip(PAINTS, (counting or nullcontext(), nullcontext()), strict=True):
        for first, end in changed:
            machine.write(first, bytes([paint]) * (end - first))
        with context as counter:
            scores.append(mailbox.infer(machine, image))
        count = count or counter
        for (first, end), record in changed.items():
            record |= np.frombuffer(machine.read(first, end - first), np.uint8) != paint
    return Inspection(
        written=changed[arena].astype(np.uint8).tobytes(),
        strays=tuple(
            (extent[0] + int(where[0]), extent[0] + int(where[-1]) + 1)
            for extent, record in changed.items()
            if extent != arena and len(where := np.flatnonzero(record))
        ),
        repeatable=np.array_equal(scores[0], scores[1]),
        count=count,
    )


def not_the_networks(image: Image, profile: Profile) -> list[Range]:
    """Mapped addresses that the network has no business with: SRAM beside arena, mailbox, stack and what the start-up
    code copied, and what of a page belongs to no memory of the profile or to somebody else's firmware."""
    own = [_symbol(image, f"{network_name(image)}_arena"), _symbol(image, "spikenas_mailbox")]
    own.append((image.symbol("_stack_limit").address, image.symbol("_stack_top").address))
    own += [
        (region.available_origin, region.available_origin + region.available_bytes)
        for region in profile.regions
        if region.kind == "flash"
    ]
    own += [
        (section.address, section.address + section.size_bytes)
        for section in image.sections
        if section.load_address not in (None, section.address)
    ]
    found, seen = [], 0
    for region in sorted(profile.regions, key=lambda region: region.origin):
        # Neighbours may share a page.
        first = max(seen, region.available_origin // PAGE_BYTES * PAGE_BYTES)
        seen = -(-(region.available_origin + region.available_bytes) // PAGE_BYTES) * PAGE_BYTES
        for start, stop in sorted(own):
            if first < stop and start < seen:
                found.append((first, start))
                first = stop
        found.append((first, seen))
    return [(first, end) for first, end in found if first < end]


def _symbol(image: Image, name: str) -> Range:
    symbol = image.symbol(name)
    return symbol.address, symbol.address + symbol.size_bytes
