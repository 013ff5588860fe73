"""Rules about the memories of a microcontroller."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from toolchain.profiles.schema import Content, Profile, Region

GRANULE_BYTES = 1024
ADDRESS_SPACE_BYTES = 2**32
VECTORS_ALIGNMENT_BYTES = 256
"""A Cortex-M0+ asks it of the vector table that starts our image (VTOR bits 31:8); an M4 asks for half."""

MOST_WAIT_STATES = 64

COPIES_ALIGNMENT_BYTES = 4
"""The start-up code copies words."""

STACK_ALIGNMENT_BYTES = 8
"""Arm's procedure call standard keeps the stack pointer a multiple of 8 (AAPCS32, section 6.2.1.2)."""


def regions_match_role(profile: Profile) -> Iterator[str]:
    """A microcontroller lists its memories as [regions.NAME]; a Linux board lists none and has limits in
    [linux].
    """
    if profile.role == "linux" and profile.regions:
        yield "a Linux board has no regions; remove them and set limits in [linux]"
    if profile.role != "linux" and not profile.regions:
        yield "a microcontroller needs its memories; add [regions.flash] and [regions.sram]"


def region_has_size(profile: Profile) -> Iterator[str]:
    """A region has a size above zero."""
    for region in profile.regions:
        if region.size_bytes <= 0:
            yield f"[regions.{region.name}] size_bytes is {region.size_bytes}; give the size of the memory"


def region_keeps_room(profile: Profile) -> Iterator[str]:
    """What is reserved in a region is at least 0 and less than the region; omit a region that leaves
    nothing.
    """
    for region in profile.regions:
        if not 0 <= region.reserved_bytes < max(region.size_bytes, 1):
            kept = f"{region.reserved_bytes} of {region.size_bytes} bytes"
            yield f"[regions.{region.name}] reserves {kept}; reserve less, or drop the region"


def bootloader_is_reserved(profile: Profile) -> Iterator[str]:
    """A bootloader lies at the start of a flash region, within what is reserved there."""
    for region in profile.regions:
        most = region.reserved_bytes if region.kind == "flash" and region.reserved_at == "start" else 0
        if not 0 <= region.bootloader_bytes <= most:
            yield (
                f"[regions.{region.name}] bootloader_bytes is {region.bootloader_bytes}, but only {most} bytes are "
                "reserved at the start of this flash; reserve the bootloader too"
            )


def region_is_aligned(profile: Profile) -> Iterator[str]:
    """A region starts at and spans a multiple of 1024 bytes, as memories do, and reserves a multiple of 256,
    so that an image's vector table may follow.
    """
    for region in profile.regions:
        for key, value in (("origin", region.origin), ("size_bytes", region.size_bytes)):
            if value % GRANULE_BYTES:
                yield (
                    f"[regions.{region.name}] {key} is {_number(key, value)}, no multiple of 1024; "
                    "it is counted in bytes, 1024 to the KiB"
                )
        if region.reserved_bytes % VECTORS_ALIGNMENT_BYTES:
            yield f"[regions.{region.name}] reserves {region.reserved_bytes}, no multiple of 256; round up"


def region_is_addressable(profile: Profile) -> Iterator[str]:
    """A region lies within the 32-bit address space."""
    for region in profile.regions:
        if region.origin < 0 or region.origin + region.size_bytes > ADDRESS_SPACE_BYTES:
            yield f"[regions.{region.name}] reaches beyond 32-bit addresses; correct origin or size_bytes"


def regions_do_not_overlap(profile: Profile) -> Iterator[str]:
    """No two regions share an address; an alias of a memory is not a second memory."""
    for first, second in combinations(profile.regions, 2):
        if (
            first.origin < second.origin + second.size_bytes
            and second.origin < first.origin + first.size_bytes
        ):
            yield f"{_span(first)} and {_span(second)} overlap; correct one of them"


def contents_suit_memory(profile: Profile) -> Iterator[str]:
    """A region holds something, each thing once; buffers and stack are written, so flash cannot hold them."""
    for region in profile.regions:
        if not region.holds or len(set(region.holds)) != len(region.holds):
            yield f"[regions.{region.name}] holds must list code, weights, buffers or stack, each once"
        written = [content for content in ("buffers", "stack") if content in region.holds]
        if region.kind == "flash" and written:
            yield f"[regions.{region.name}] is flash and cannot hold {' or '.join(written)}; remove it"


def copies_suit_memory(profile: Profile) -> Iterator[str]:
    """Copies of weights go to one SRAM of a standalone board, whose start-up code is ours."""
    taking = [region for region in profile.regions if region.weight_copies_bytes]
    if len(taking) > 1:
        yield f"{len(taking)} regions take copies of weights; give weight_copies_bytes to one"
    for region in taking:
        name, size = f"[regions.{region.name}]", region.weight_copies_bytes
        if region.kind != "sram":
            yield f"{name} is flash and takes no copies of weights; remove weight_copies_bytes"
        if profile.role != "standalone":
            yield f"{name} has weight_copies_bytes, but another firmware starts this board; remove it"
        if size < 0 or size > region.available_bytes or size % COPIES_ALIGNMENT_BYTES:
            yield f"{name} weight_copies_bytes is {size}; give a multiple of 4 up to {region.available_bytes}"


def wait_states_are_counted(profile: Profile) -> Iterator[str]:
    """A memory's accesses wait for a number of cycles that a controller can be set to."""
    for region in profile.regions:
        if region.wait_states is not None and not 0 <= region.wait_states <= MOST_WAIT_STATES:
            yield (
                f"[regions.{region.name}] wait_states is {region.wait_states}; give 0 to {MOST_WAIT_STATES} cycles, as "
                "the reference manual has them for the board's clock"
            )


def contents_have_a_place(profile: Profile) -> Iterator[str]:
    """Some flash holds the code, some flash holds the weights, and some SRAM holds the buffers."""
    if profile.regions:
        wanted: tuple[tuple[str, Content], ...] = (
            ("flash", "code"),
            ("flash", "weights"),
            ("sram", "buffers"),
        )
        for kind, content in wanted:
            if not any(region.kind == kind and content in region.holds for region in profile.regions):
                yield f'no {kind} region holds {content}; add "{content}" to the holds of one'


def stack_has_a_place(profile: Profile) -> Iterator[str]:
    """Exactly one region holds the stack, and stack_bytes (above 0, a multiple of 8) fit into it.

    So do interrupt_stack_bytes, which may be 0.
    """
    if profile.role == "linux":
        for key in ("stack_bytes", "interrupt_stack_bytes"):
            if getattr(profile, key):
                yield f"{key} on a Linux board; remove it, the system gives the stack"
        return
    places = [region for region in profile.regions if "stack" in region.holds]
    if profile.regions and len(places) != 1:
        yield f'{len(places)} regions hold the stack; put "stack" into the holds of exactly one'
    if profile.stack_bytes <= 0 or profile.stack_bytes % STACK_ALIGNMENT_BYTES:
        yield f"stack_bytes is {profile.stack_bytes}; give a multiple of 8 above 0"
    if profile.interrupt_stack_bytes < 0 or profile.interrupt_stack_bytes % STACK_ALIGNMENT_BYTES:
        yield f"interrupt_stack_bytes is {profile.interrupt_stack_bytes}; give a multiple of 8, or 0"
    for key in ("stack_bytes", "interrupt_stack_bytes"):
        if len(places) == 1 and getattr(profile, key) > places[0].available_bytes:
            yield f"{key} is more than [regions.{places[0].name}] has available; lower it"


def host_keeps_its_memory(profile: Profile) -> Iterator[str]:
    """On a hosted board the firmware that runs there keeps some flash and some SRAM; say how much in
    reserved_bytes.
    """
    if profile.role == "hosted":
        for kind in ("flash", "sram"):
            regions = [region for region in profile.regions if region.kind == kind]
            if regions and not any(region.reserved_bytes for region in regions):
                yield f"a hosted board shares its {kind} with its firmware; set reserved_bytes"


def _number(key: str, value: int) -> str:
    return f"{value:#x}" if key == "origin" else str(value)


def _span(region: Region) -> str:
    return f"[regions.{region.name}] ({region.origin:#x} to {region.origin + region.size_bytes:#x})"


RULES = (
    regions_match_role,
    region_has_size,
    region_keeps_room,
    bootloader_is_reserved,
    region_is_aligned,
    region_is_addressable,
    regions_do_not_overlap,
    contents_suit_memory,
    copies_suit_memory,
    wait_states_are_counted,
    contents_have_a_place,
    stack_has_a_place,
    host_keeps_its_memory,
)
