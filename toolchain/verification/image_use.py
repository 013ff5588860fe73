"""What a linked image takes of a board's memory, region by region, read from addresses alone.

Flash is what the programmer writes (initial values of variables included), SRAM what the running image
occupies, its reserved stack included. Bytes that a segment and a section both claim count once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.errors import InputError
from toolchain.profiles.schema import Profile, Region
from toolchain.verification.elf import Image

_WINDOW_BYTES = 16 * 1024 * 1024
"""An address this near above a region's origin was meant for it, though the region may be too small."""

_SEGMENT = "a segment"


@dataclass(frozen=True)
class Extent:
    """A range of addresses that ``what`` (a section, a segment, the stack) takes."""

    what: str
    start: int
    end: int


def extents(image: Image) -> list[Extent]:
    """Everything in the address space that ``image`` takes, overlapping parts merged, in order of address."""
    # A segment may span two memories that are neighbours, a section may not; so sections say where things run.
    found = [
        Extent(section.name, section.address, section.address + section.size_bytes)
        for section in image.sections
    ]
    for segment in image.segments:
        if segment.data:
            found.append(Extent(_SEGMENT, segment.load_address, segment.load_address + len(segment.data)))
        if segment.memory_bytes and not image.sections:
            found.append(Extent(_SEGMENT, segment.address, segment.address + segment.memory_bytes))
    limit, top = image.symbols.get("_stack_limit"), image.symbols.get("_stack_top")
    if limit and top and limit.address < top.address:
        found.append(Extent("the stack", limit.address, top.address))
    return _merged(found)


def used_bytes(image: Image, profile: Profile) -> dict[str, int]:
    """Bytes that ``image`` takes of every region of ``profile``, which may be more than the region has.

    Raises ``InputError`` if a part of the image lies in no region, or in what somebody else's firmware keeps,
    while there would be room for it: the image is then not too large, but linked for another board.
    """
    used = {region.name: 0 for region in profile.regions}
    misplaced = []
    for extent in extents(image):
        region = _region(profile.regions, extent.start)
        if region is None:
            raise InputError(_sentence(image, extent, f"which is not in a memory of {profile.name}"))
        used[region.name] += extent.end - extent.start
        if extent.start < region.available_origin:
            raise InputError(_sentence(image, extent, f"in what {profile.name} reserves of {region.name}"))
        if extent.end > region.available_origin + region.available_bytes:
            misplaced.append((extent, region))
    for extent, region in misplaced:
        if used[region.name] <= region.available_bytes:
            raise InputError(_sentence(image, extent, f"beyond what {profile.name} gives of {region.name}"))
    return used


def _sentence(image: Image, extent: Extent, where: str) -> str:
    return (
        f"{image.path} puts {extent.what} at 0x{extent.start:08x} to 0x{extent.end:08x}, {where}; "
        "export it for this profile"
    )


def _region(regions: Iterable[Region], address: int) -> Region | None:
    below = [r for r in regions if r.origin <= address < r.origin + max(r.size_bytes, _WINDOW_BYTES)]
    return max(below, key=lambda region: region.origin, default=None)


def _merged(found: list[Extent]) -> list[Extent]:
    merged: list[Extent] = []
    for extent in sorted(found, key=lambda extent: (extent.start, -extent.end)):
        if merged and extent.start < merged[-1].end:
            last = merged[-1]
            what = extent.what if last.what == _SEGMENT else last.what
            merged[-1] = Extent(what, last.start, max(last.end, extent.end))
        else:
            merged.append(extent)
    return merged
