"""A linked firmware image."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from toolchain.cost.packing import INFO_BYTES
from toolchain.inspecting.info_block import MOST_NETWORKS, facts_of
from toolchain.inspecting.structure import Kind, MemorySymbol, Structure, shares
from toolchain.verification.elf import Image, Section, Symbol, read_elf
from toolchain.verification.network_symbols import KERNELS, prefixes_of


def inspect_elf(path: Path) -> Structure:
    """Sections and symbols of the firmware ``path``; raises ``InputError`` if it is broken or no firmware."""
    image = read_elf(path)
    # A hostile file has a hundred thousand, each of which is held against every symbol.
    prefixes = tuple(prefix for prefix in prefixes_of(image) if prefix != KERNELS)[:MOST_NETWORKS]
    places = sorted(
        ((section, *_memories(image, section.address, section.loaded)) for section in image.sections),
        key=lambda place: place[0].address,
    )
    starts = [section.address for section, _, _ in places]
    sections = {
        section.name: (section.size_bytes * flash, section.size_bytes * sram)
        for section, flash, sram in places
    }
    symbols = sorted(
        filter(
            None,
            (
                # By bisection: a hostile file has thousands of sections, and symbols a hundred times that.
                _symbol(symbol, prefixes, *places[bisect_right(starts, symbol.address) - 1])
                for symbol in image.symbols.values()
                if places
            ),
        ),
        key=lambda symbol: (-max(symbol.flash_bytes, symbol.sram_bytes), symbol.name),
    )
    size = path.stat().st_size
    return Structure(
        path,
        "firmware (ELF)",
        size,
        by_kind=shares(size, [(symbol.kind, symbol.flash_bytes) for symbol in symbols]),
        sections=sections,
        symbols=tuple(symbols),
        facts=facts_of(_blocks(image, prefixes)),
    )


def _symbol(
    symbol: Symbol, prefixes: tuple[str, ...], section: Section, flash: bool, sram: bool
) -> MemorySymbol | None:
    """What ``symbol`` takes, in ``section`` or not at all; None for marks of the linker, which take nothing."""
    if not symbol.size_bytes:
        return None
    if not 0 <= symbol.address - section.address <= section.size_bytes - symbol.size_bytes:
        return None
    return MemorySymbol(
        symbol.name,
        section.name,
        symbol.address,
        symbol.size_bytes * flash,
        symbol.size_bytes * sram,
        _kind(symbol, prefixes) if flash else "buffers",
    )


def _memories(image: Image, address: int, loaded: bool) -> tuple[bool, bool]:
    """Whether what runs at ``address`` is in flash, and whether in SRAM: initial values of variables are in both."""
    moved = any(
        segment.address <= address < segment.address + segment.memory_bytes
        and segment.address != segment.load_address
        for segment in image.segments
    )
    return loaded, moved or not loaded


def _kind(symbol: Symbol, prefixes: tuple[str, ...]) -> Kind:
    if symbol.function:
        return "code"
    if not symbol.name.startswith(prefixes):
        return "constants"
    for ending, kind in (("_weights", "weights"), ("_bias", "biases"), ("_info", "metadata")):
        if symbol.name.endswith(ending):
            return kind  # type: ignore[return-value]
    return "constants"


def _blocks(image: Image, prefixes: tuple[str, ...]) -> list[bytes]:
    """What the networks in ``image`` say of themselves."""
    found = (image.symbols.get(f"{prefix}info") for prefix in prefixes)
    return [
        image.read(symbol.address, INFO_BYTES)
        for symbol in found
        if symbol and symbol.size_bytes == INFO_BYTES
    ]
