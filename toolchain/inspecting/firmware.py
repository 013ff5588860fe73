"""A linked firmware image, or the raw bytes that a programmer writes."""

from __future__ import annotations

import struct
from bisect import bisect_right
from pathlib import Path

from toolchain.framing.mapped import mapped
from toolchain.inspecting.structure import Kind, MemorySymbol, Structure, shares
from toolchain.verification.elf import Image, Section, Symbol, read_elf

PREFIX = "net_"
"""What the network's symbols begin with."""

_INFO = struct.Struct("<16s8s32sI")
"""``snn_info``: version, compiler, hash of the network, time steps (the exporter's snn.h)."""


def inspect_elf(path: Path) -> Structure:
    """Sections and symbols of the firmware ``path``; raises ``InputError`` if it is broken or no firmware."""
    image = read_elf(path)
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
                _symbol(symbol, *places[bisect_right(starts, symbol.address) - 1])
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
        facts=_facts(image),
    )


def inspect_binary(path: Path) -> Structure:
    """What can be said of a raw image: its size, and what a Cortex-M would read first."""
    with mapped(path) as content:
        size, (stack, reset) = len(content), struct.unpack_from("<II", content)
    facts = {"initial stack pointer": f"0x{stack:08x}", "reset handler": f"0x{reset & ~1:08x}"}
    vectors = stack % 4 == 0 and reset % 2 == 1
    note = "raw bytes without names or addresses; inspect the firmware.elf that they were made from"
    return Structure(
        path,
        "firmware (raw)",
        size,
        by_kind=shares(size, []),
        facts=facts if vectors else {},
        notes=(note,) if vectors else (note, "it does not begin with a Cortex-M vector table"),
    )


def _symbol(symbol: Symbol, section: Section, flash: bool, sram: bool) -> MemorySymbol | None:
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
        _kind(symbol) if flash else "buffers",
    )


def _memories(image: Image, address: int, loaded: bool) -> tuple[bool, bool]:
    """Whether what runs at ``address`` is in flash, and whether in SRAM: initial values of variables are in both."""
    moved = any(
        segment.address <= address < segment.address + segment.memory_bytes
        and segment.address != segment.load_address
        for segment in image.segments
    )
    return loaded, moved or not loaded


def _kind(symbol: Symbol) -> Kind:
    if symbol.function:
        return "code"
    if not symbol.name.startswith(PREFIX):
        return "constants"
    for ending, kind in (("_weights", "weights"), ("_bias", "biases"), ("_info", "metadata")):
        if symbol.name.endswith(ending):
            return kind  # type: ignore[return-value]
    return "constants"


def _facts(image: Image) -> dict[str, object]:
    info = image.symbols.get(f"{PREFIX}info")
    if info is None or info.size_bytes != _INFO.size:
        return {}
    version, compiler, digest, steps = _INFO.unpack(image.read(info.address, info.size_bytes))
    return {
        "generator": f"spikenas-deploy {_text(version)}",
        "compiler": _text(compiler),
        "graph_sha256": digest.hex(),
        "time_steps": steps,
    }


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii", "backslashreplace")
