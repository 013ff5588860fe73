"""Which memory region each part of an image goes to: the same rule for one network and for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from toolchain.cost.amounts import Amount, choose
from toolchain.errors import InputError
from toolchain.profiles.budget import RegionLimit
from toolchain.profiles.schema import Content, Profile


class Part(NamedTuple):
    """What has to lie together in a region of its ``kind`` that ``holds`` such content."""

    name: str
    kind: str
    holds: Content
    size_bytes: Amount


def assign(parts: Sequence[Part], limits: Sequence[RegionLimit], profile: Profile) -> list[Amount]:
    """For each part the index of its region: the first, in order, that may hold it and has room.

    A part that fits nowhere goes where it is over by least, and leaves that region over. Raises ``InputError`` if no
    region may hold a part.
    """
    used: list[Amount] = [0] * len(limits)
    chosen = []
    for part in parts:
        able = [
            index
            for index, limit in enumerate(limits)
            if limit.kind == part.kind and part.holds in limit.holds
        ]
        if not able:
            raise InputError(
                f"{profile.name} has no {part.kind} region that holds {part.holds}; add it to a region's `holds`"
            )
        left = {index: limits[index].available_bytes - used[index] - part.size_bytes for index in able}
        region: Amount = able[0]
        most: Amount = left[able[0]]
        for index in able[1:]:
            better = (most < 0) & (left[index] > most)
            region, most = choose(better, index, region), choose(better, left[index], most)
        for index in able:
            used[index] = used[index] + part.size_bytes * (region == index)
        chosen.append(region)
    return chosen


def used_bytes(parts: Sequence[Part], chosen: Sequence[Amount], region: int) -> Amount:
    """Bytes of the parts whose ``chosen`` region is the one with this index."""
    return sum(part.size_bytes * (index == region) for part, index in zip(parts, chosen, strict=True))


def image_parts(
    code_bytes: Amount, constants_bytes: Amount, stack_bytes: int, mailbox_bytes: Amount, arena_bytes: Amount
) -> tuple[Part, ...]:
    """The parts of a firmware image, in the order in which they are placed.

    The start-up code copies nothing, so what has content must lie where it is loaded: in flash.
    """
    return (
        Part("code", "flash", "code", code_bytes),
        Part("constants", "flash", "weights", constants_bytes),
        Part("stack", "sram", "stack", stack_bytes),
        Part("mailbox", "sram", "buffers", mailbox_bytes),
        Part("arena", "sram", "buffers", arena_bytes),
    )
