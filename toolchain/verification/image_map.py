"""What any firmware takes of a board's memories, section by section, and what of it is the network's.

For images of others: their linker script decides, so a section may lie anywhere, and what lies in no memory of the
profile is told, not refused. Flash is what the programmer writes, SRAM what the running image occupies; a section
that start-up code copies (variables with initial values, functions in RAM) takes both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from toolchain.profiles.schema import Profile, Region
from toolchain.verification.elf import ARM, Image
from toolchain.verification.network_symbols import NetworkBytes, Range, merged

FLASH, SRAM = "flash", "sram"
UNNAMED = "data"
"""What a file without sections calls its content."""

_GAP_BYTES = 4096
"""A section that begins this near behind one that overflows its memory overflows it too."""


@dataclass(frozen=True)
class MemoryRow:
    """``size_bytes`` of a section in the memory ``region`` (None: in none of the profile's), of them the network's."""

    region: str | None
    section: str
    address: int
    size_bytes: int
    network_bytes: int


@dataclass(frozen=True)
class ImageMap:
    """Bytes of every memory that the image takes, that the network takes of it, and the rows that they add up from.

    ``first`` is the lowest address taken in a memory.
    """

    rows: tuple[MemoryRow, ...]
    used: dict[str, int]
    network: dict[str, int]
    first: dict[str, int]


@dataclass(frozen=True)
class _Part:
    """A section, or a piece of one, where its content is ``kept`` for the loader, or else where it is in use."""

    section: str
    start: int
    end: int
    run_start: int
    kept: bool
    in_ram: bool


def image_map(image: Image, profile: Profile | None, network: NetworkBytes) -> ImageMap:
    """The map of ``image`` in the regions of ``profile``; without one, in ``flash`` and ``sram`` by what sections are.

    On boards whose loader copies from flash into RAM (those that are no Arm: the ESP32), content that is loaded
    elsewhere than into flash is kept in the region that holds code.
    """
    parts = sorted(_parts(image), key=lambda part: (part.start, -part.end))
    placed: list[tuple[_Part, str | None]]
    if profile is None:
        # What is used where it is kept, such as code, takes no RAM.
        placed = [(part, FLASH if part.kept else SRAM) for part in parts if part.kept or part.in_ram]
        names = [FLASH, SRAM]
    else:
        placed = list(_placed(parts, profile.regions, image.machine))
        names = [region.name for region in profile.regions]
    used = {name: merged((p.start, p.end) for p, where in placed if where == name) for name in names}
    rows = {
        (name, part.section, part.start): MemoryRow(
            name,
            part.section,
            part.start,
            part.end - part.start,
            network.within(part.run_start, part.run_start + part.end - part.start),
        )
        for part, name in placed
    }
    order = {name: index for index, name in enumerate(names)}
    return ImageMap(
        tuple(sorted(rows.values(), key=lambda row: (order.get(row.region or "", len(names)), row.address))),
        {name: sum(end - start for start, end in used[name]) for name in names},
        {name: _networks([p for p, where in placed if where == name], network) for name in names},
        {name: used[name][0][0] for name in names if used[name]},
    )


def _parts(image: Image) -> Iterator[_Part]:
    for section in image.sections:
        start, size, load = section.address, section.size_bytes, section.load_address
        moved = load is None or load != start
        yield _Part(section.name, start, start + size, start, False, moved or section.writable)
        if load is not None:
            yield _Part(section.name, load, load + size, start, True, False)
    if not image.sections:
        for segment in image.segments:
            load, size = segment.load_address, len(segment.data)
            end = segment.address + segment.memory_bytes
            in_ram = segment.address != load or segment.memory_bytes > size
            yield _Part(UNNAMED, segment.address, end, segment.address, False, in_ram)
            if size:
                yield _Part(UNNAMED, load, load + size, segment.address, True, False)


def _placed(
    parts: Iterable[_Part], regions: Sequence[Region], machine: str
) -> Iterator[tuple[_Part, str | None]]:
    kinds = {region.name: region.kind for region in regions}
    code = next((region.name for region in regions if region.kind == FLASH and "code" in region.holds), None)
    # Of those that are used and those that are kept, the last that was placed: what it overflows.
    last: dict[bool, tuple[int, str | None]] = {}
    for whole in parts:
        for part in _pieces(whole, regions):
            name = _region_at(part.start, regions)
            end, before = last.get(part.kept, (0, None))
            if name is None and before is not None and 0 <= part.start - end < _GAP_BYTES:
                name = before
            last[part.kept] = (part.end, name)
            if part.kept and (name is None or kinds[name] != FLASH) and machine != ARM:
                name = code
            elif part.kept and part.start == part.run_start and name is not None and kinds[name] != FLASH:
                # A debugger puts it into RAM, where it is used: one place, told by the other part.
                continue
            yield part, name


def _pieces(part: _Part, regions: Sequence[Region]) -> Iterator[_Part]:
    """``part`` cut where a region ends and the next one begins at once."""
    origins = {region.origin for region in regions}
    cuts = {region.origin + region.size_bytes for region in regions} & origins
    bounds = [part.start, *sorted(cut for cut in cuts if part.start < cut < part.end), part.end]
    for start, end in pairwise(bounds):
        yield replace(part, start=start, end=end, run_start=part.run_start + start - part.start)


def _region_at(address: int, regions: Sequence[Region]) -> str | None:
    return next((r.name for r in regions if r.origin <= address < r.origin + r.size_bytes), None)


def _networks(parts: Iterable[_Part], network: NetworkBytes) -> int:
    """Bytes of the network in ``parts`` of one memory; what two of them claim counts once."""
    shifted: dict[int, list[Range]] = {}
    for part in parts:
        shift = part.start - part.run_start
        shifted.setdefault(shift, []).append((part.start - shift, part.end - shift))
    return sum(network.within(start, end) for ranges in shifted.values() for start, end in merged(ranges))
