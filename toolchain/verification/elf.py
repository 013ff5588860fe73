"""A strict reader of firmware images: 32-bit little-endian Arm ELF files, and nothing else.

Every offset, count and name is checked against the file before it is followed, so a broken or hostile file
ends in one ``InputError`` and in bounded time. The format is that of the System V ABI, chapters 4 and 5, and
the ELF for the Arm Architecture; sizes of its records are fixed there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_ELF_BYTES = 64 * 1024 * 1024
"""Largest ELF that is read: a few MiB of flash, and debug information many times that."""

MAX_SEGMENTS, MAX_SECTIONS, MAX_SYMBOLS, MAX_NAME = 64, 4096, 100_000, 255

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<8I")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_MAGIC_32_LITTLE = b"\x7fELF\x01\x01\x01"
_EXECUTABLE, _ARM = 2, 40
_LOAD = 1
_SYMBOL_TABLE, _NO_BITS = 2, 8
_ALLOCATED = 2


@dataclass(frozen=True)
class Segment:
    """What a programmer writes at ``load_address``, and what runs at ``address`` in ``memory_bytes`` bytes."""

    load_address: int
    address: int
    memory_bytes: int
    data: bytes


@dataclass(frozen=True)
class Section:
    """A part of the image that occupies memory when it runs; ``loaded`` if its content comes from the file."""

    name: str
    address: int
    size_bytes: int
    loaded: bool


@dataclass(frozen=True)
class Symbol:
    """A name that the linker gave to an address (the Thumb bit of functions is cleared)."""

    name: str
    address: int
    size_bytes: int
    function: bool = False


@dataclass(frozen=True)
class Image:
    """A linked firmware image. ``sections`` are those that occupy memory; of equal names, global symbols win."""

    path: Path
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: dict[str, Symbol]

    def symbol(self, name: str) -> Symbol:
        """The symbol called ``name``; raises ``InputError`` if the image has none."""
        try:
            return self.symbols[name]
        except KeyError:
            raise InputError(
                f"{self.path} has no symbol {name!r}; build it with `spikenas-deploy export`, unstripped"
            ) from None

    def function_at(self, address: int) -> str:
        """Name of the function or object that ``address`` lies in, "no known function" if there is none."""
        for symbol in self.symbols.values():
            if symbol.address <= address < symbol.address + symbol.size_bytes:
                return symbol.name
        return "no known function"

    def read(self, address: int, size_bytes: int) -> bytes:
        """Content of the file at a load address; raises ``InputError`` if the image does not load it."""
        for segment in self.segments:
            start = address - segment.load_address
            if 0 <= start and start + size_bytes <= len(segment.data):
                return segment.data[start : start + size_bytes]
        raise InputError(
            f"{self.path} loads nothing at 0x{address:08x}; build it again with `spikenas-deploy export`"
        )


def read_elf(path: Path) -> Image:
    """Read and check ``path``; raises ``InputError`` that says what is wrong with it."""
    content = read_bytes(path, MAX_ELF_BYTES)
    try:
        return _read(path, content)
    except _Broken as error:
        raise InputError(
            f"{path} is not a firmware image: {error}; build it again with `spikenas-deploy export`"
        ) from None


class _Broken(Exception):
    """What is wrong with the file, as the end of a sentence."""


def _read(path: Path, content: bytes) -> Image:
    if len(content) < _HEADER.size:
        raise _Broken(f"it has {len(content)} bytes, fewer than an ELF header")
    magic, kind, machine, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, shstr = _HEADER.unpack_from(
        content
    )
    if not magic.startswith(b"\x7fELF"):
        raise _Broken("it does not begin as an ELF file")
    if not magic.startswith(_MAGIC_32_LITTLE) or machine != _ARM:
        raise _Broken("it is an ELF file, but not for a 32-bit little-endian Arm processor")
    if kind != _EXECUTABLE:
        raise _Broken("it is an ELF file, but not a linked program")
    segments = [
        _segment(content, fields)
        for fields in _table(content, "program headers", phoff, phnum, phsize, MAX_SEGMENTS, _SEGMENT)
        if fields[0] == _LOAD
    ]
    if not segments:
        raise _Broken("it loads nothing")
    headers = list(_table(content, "section headers", shoff, shnum, shsize, MAX_SECTIONS, _SECTION))
    names = _content(content, headers, shstr, "section names") if headers else b""
    sections = [
        Section(
            _name(names, fields[0]),
            fields[3],
            _in_32_bits(fields[3], fields[5], "a section"),
            fields[1] != _NO_BITS,
        )
        for fields in headers
        if fields[2] & _ALLOCATED and fields[5]
    ]
    return Image(path, tuple(segments), tuple(sections), _symbols(content, headers))


def _table(
    content: bytes, what: str, offset: int, count: int, size: int, most: int, record: struct.Struct
) -> Iterator[tuple[int, ...]]:
    if count > most:
        raise _Broken(f"it claims {count} {what}, more than {most}")
    if count and size != record.size:
        raise _Broken(f"its {what} are {size} bytes each, not {record.size}")
    if offset + count * record.size > len(content):
        raise _Broken(f"its {what} lie outside the file, so it is truncated or damaged")
    return (record.unpack_from(content, offset + index * record.size) for index in range(count))


def _segment(content: bytes, fields: tuple[int, ...]) -> Segment:
    _, offset, address, load_address, file_bytes, memory_bytes, _, _ = fields
    if offset + file_bytes > len(content):
        raise _Broken("a segment lies outside the file, so it is truncated or damaged")
    if file_bytes > memory_bytes:
        raise _Broken("a segment has more bytes in the file than in memory")
    _in_32_bits(load_address, file_bytes, "a segment")
    _in_32_bits(address, memory_bytes, "a segment")
    return Segment(load_address, address, memory_bytes, content[offset : offset + file_bytes])


def _in_32_bits(address: int, size_bytes: int, what: str) -> int:
    if address + size_bytes > 1 << 32:
        raise _Broken(f"{what} ends beyond the 32-bit address space")
    return size_bytes


def _content(content: bytes, headers: list[tuple[int, ...]], index: int, what: str) -> bytes:
    if index >= len(headers):
        raise _Broken(f"its {what} are in a section that does not exist")
    _, kind, _, _, offset, size, *_ = headers[index]
    if kind == _NO_BITS or offset + size > len(content):
        raise _Broken(f"its {what} lie outside the file, so it is truncated or damaged")
    return content[offset : offset + size]


def _name(names: bytes, offset: int) -> str:
    # The search is bounded, so that a table without terminators cannot make every name as long as the file.
    end = names.find(b"\0", offset, offset + MAX_NAME + 1)
    if end < 0:
        raise _Broken(f"a name lies outside its table or is longer than {MAX_NAME} bytes")
    return names[offset:end].decode("ascii", "backslashreplace")


def _symbols(content: bytes, headers: list[tuple[int, ...]]) -> dict[str, Symbol]:
    tables = [index for index, fields in enumerate(headers) if fields[1] == _SYMBOL_TABLE]
    if len(tables) > 1:
        raise _Broken("it has more than one symbol table")
    found: dict[str, Symbol] = {}
    for index in tables:
        table = _content(content, headers, index, "symbols")
        names = _content(content, headers, headers[index][6], "symbol names")
        count = len(table) // _SYMBOL.size
        if headers[index][9] != _SYMBOL.size or len(table) % _SYMBOL.size or count > MAX_SYMBOLS:
            raise _Broken(f"its symbol table is damaged or has more than {MAX_SYMBOLS} entries")
        # Local symbols come first, so that a global one of the same name takes its place.
        for name_offset, value, size, info, _, section in _SYMBOL.iter_unpack(table):
            if name_offset and section:
                name = _name(names, name_offset)
                is_function = info & 15 == 2
                found[name] = Symbol(name, value & ~1 if is_function else value, size, is_function)
    return found
