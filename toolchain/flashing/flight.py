"""Firmware of a hosted board, which its user built with our library: is this network in it, and does it all fit?

The firmware file is what is written; the ELF of the same build says what lies where. One function a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exporters.c.image import flat
from toolchain.cost.packing import INFO_BYTES
from toolchain.errors import InputError, OverBudgetError
from toolchain.files import read_bytes, sha256
from toolchain.flashing import esp_image
from toolchain.flashing.bundle import MAX_IMAGE_BYTES, read_bundle
from toolchain.flashing.image import flash_at
from toolchain.flashing.job import Image
from toolchain.profiles.schema import Profile, Region
from toolchain.verification.elf import ARM, RISC_V, XTENSA, Symbol, read_elf
from toolchain.verification.elf import Image as Linked

SUFFIXES = {
    "cfloader": (".bin",),
    "px_uploader": (".px4", ".apj"),
    "dfu-util": (".bin",),
    "esptool": (".bin",),
}
"""Endings of the files that each loader takes."""

FILLED_IN_LATER = ".app_descriptor"
"""The section that the builds of PX4 and ArduPilot fill in after linking: length, CRC and version of the image."""

MAX_PADDING_BYTES = 4096
"""By so much a firmware file may be longer than its ELF: filled up to words, or to a page."""


@dataclass(frozen=True)
class Flight:
    """A flight firmware that may be written, and what its user should know of it."""

    image: Image
    notes: tuple[str, ...]


def flight_firmware(file: Path, elf: Path, profile: Profile, graph_sha256: str) -> Flight:
    """Read ``file`` (.bin, .px4, .apj) and ``elf`` of one build, and hold every rule.

    Raises ``InputError``, or ``OverBudgetError`` if the firmware does not fit the board.
    """
    names = profile.flashing
    if names is not None and names.esptool_chip is not None and names.application_offset is not None:
        return _esp_application(
            file, elf, profile, names.esptool_chip, names.application_offset, graph_sha256
        )
    if file.suffix in (".px4", ".apj"):
        bundle = read_bundle(file)
        content, board = bundle.image, bundle.board
    else:
        content, board = read_bytes(file, MAX_IMAGE_BYTES), None
    linked = read_elf(elf)
    address, loaded = flat(_loaded(linked))
    image = Image(file, address, content, elf, board)
    is_for_this_board(image, profile)
    is_of_this_elf(image, linked, loaded)
    has_this_network(
        image, linked, graph_sha256, lambda at: content[at - address :][:INFO_BYTES] if at >= address else b""
    )
    starts_behind_the_bootloader(image, profile)
    return Flight(image, tuple(map_fits(image, linked, profile)))


def _esp_application(
    file: Path, elf: Path, profile: Profile, chip: str, offset: int, graph_sha256: str
) -> Flight:
    """The same for an application of ESP-IDF, whose file has its own order: it goes to ``offset`` as it is."""
    content = read_bytes(file, MAX_IMAGE_BYTES)
    application = esp_image.parse(file, content)
    if application.chip != esp_image.CHIPS.get(chip):
        raise InputError(f"{file} was built for another chip than {chip}; build it for {profile.name}")
    linked = read_elf(elf, (XTENSA, RISC_V))
    if application.elf_sha256 != sha256(elf):
        raise InputError(f"{file} was not made from {elf}; give the two files of one build")
    image = Image(file, offset, content, elf)
    has_this_network(image, linked, graph_sha256, lambda at: application.read(at, INFO_BYTES))
    partition = next(region for region in profile.regions if region.kind == "flash")
    if len(content) > partition.size_bytes:
        over = len(content) - partition.size_bytes
        raise OverBudgetError(
            f"{file} is {over} bytes too large for the application's partition of {profile.name}"
        )
    return Flight(image, tuple(_memories_fit(image, linked, profile)))


def is_for_this_board(image: Image, profile: Profile) -> None:
    """The file's board number is the profile's, where the file has one."""
    wanted = profile.flashing.bootloader_board if profile.flashing else None
    if image.board is not None and image.board != wanted:
        raise InputError(
            f"{image.path} was built for board number {image.board}, and {profile.name} has {wanted}; "
            "build it for this board"
        )


def is_of_this_elf(image: Image, linked: Linked, loaded: bytes) -> None:
    """The file holds what the ELF loads, byte for byte, but for what its build fills in after linking."""
    ours, theirs = bytearray(loaded), bytearray(image.data)
    for section in linked.sections:
        if section.name == FILLED_IN_LATER and section.load_address is not None:
            start = section.load_address - image.address
            for content in (ours, theirs):
                content[start : start + section.size_bytes] = bytes(section.size_bytes)
    padding = image.data[len(loaded) :]
    if theirs[: len(ours)] != ours or len(padding) > MAX_PADDING_BYTES or padding.strip(b"\0\xff"):
        raise InputError(f"{image.path} is not what {image.elf} loads; give the two files of one build")


def has_this_network(
    image: Image, linked: Linked, graph_sha256: str, content: Callable[[int], bytes]
) -> None:
    """The firmware holds the description of this network (``net_info``), with its hash.

    ``content`` gives what the file holds for an address as the firmware runs.
    """
    for symbol in linked.symbols.values():
        if symbol.name.endswith("_info") and symbol.size_bytes == INFO_BYTES:
            if bytes.fromhex(graph_sha256) in content(symbol.address):
                return
    raise InputError(
        f"{image.path} does not hold this network (hash {graph_sha256[:12]}): build the firmware with the sources in "
        "artifacts/c of this run, and call net_infer from it"
    )


def starts_behind_the_bootloader(image: Image, profile: Profile) -> None:
    """The firmware begins where the board's bootloader starts it, and not one byte of it lies before."""
    region = flash_at(profile, image.address)
    start = region.origin + region.bootloader_bytes if region else None
    if start is None or image.address != start:
        wanted = (
            "no flash there"
            if start is None
            else f"its bootloader up to 0x{start:08x}, where firmware begins"
        )
        raise InputError(
            f"{image.elf} begins at 0x{image.address:08x}, and {profile.name} has {wanted}; build it for this board"
        )


def map_fits(image: Image, linked: Linked, profile: Profile) -> list[str]:
    """Flash and SRAM of the whole firmware lie in the memories of the profile; ``OverBudgetError`` if one is too full.

    Returns notes on memories that the profile does not have: the firmware may use them, the network may not.
    """
    region = flash_at(profile, image.address)
    if region is not None and image.end > region.origin + region.size_bytes:
        over = image.end - region.origin - region.size_bytes
        raise OverBudgetError(f"{image.path} is {over} bytes too large for {region.name} of {profile.name}")
    return _memories_fit(image, linked, profile)


def _memories_fit(image: Image, linked: Linked, profile: Profile) -> list[str]:
    elsewhere = []
    for section in linked.sections:
        place = _region(profile, section.address)
        if place is not None:
            over = section.address + section.size_bytes - place.origin - place.size_bytes
            if over > 0:
                raise OverBudgetError(
                    f"{image.elf} overflows {place.name} of {profile.name} by {over} bytes in {section.name}"
                )
        elif linked.machine == ARM and section.load_address == section.address:
            raise InputError(
                f"{image.elf} runs {section.name} at 0x{section.address:08x}, where {profile.name} has no memory; "
                "build it for this board"
            )
        else:
            elsewhere.append(section.name)
    for symbol in _arenas(linked):
        if _region(profile, symbol.address) is None:
            raise InputError(
                f"{image.elf} has {symbol.name} at 0x{symbol.address:08x}, where {profile.name} has no memory; "
                "place the network in a memory of the profile"
            )
    names = ", ".join(elsewhere[:5]) + (", ..." if len(elsewhere) > 5 else "")
    return [f"{names}: in memories that {profile.name} does not list"] if elsewhere else []


def _loaded(linked: Linked) -> list[tuple[int, bytes]]:
    """What the build's objcopy takes: sections, since a segment may begin with the ELF's own header, far below."""
    loaded = [section for section in linked.sections if section.load_address is not None]
    # Sections of a hostile file may all be the same bytes.
    if not 0 < sum(section.size_bytes for section in loaded) <= MAX_IMAGE_BYTES:
        raise InputError(
            f"{linked.path} loads nothing, or more than {MAX_IMAGE_BYTES:,} bytes; give the ELF that the linker wrote"
        )
    return [
        (section.load_address, linked.read(section.load_address, section.size_bytes))
        for section in loaded
        if section.load_address is not None
    ]


def _region(profile: Profile, address: int) -> Region | None:
    return next((r for r in profile.regions if r.origin <= address < r.origin + r.size_bytes), None)


def _arenas(linked: Linked) -> list[Symbol]:
    """The arena of every network in the firmware: named as their descriptions are."""
    found = []
    for name, symbol in linked.symbols.items():
        if name.endswith("_info") and symbol.size_bytes == INFO_BYTES:
            arena = linked.symbols.get(name.removesuffix("info") + "arena")
            found += [arena] if arena else []
    return found
