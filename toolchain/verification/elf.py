"""A strict reader of firmware images: 32-bit little-endian ELF files of the processors that are named here.

Every offset, count and name is checked against the file before it is followed, so a broken or hostile file
ends in one ``InputError`` and in bounded time. The format is that of the System V ABI, chapters 4 and 5, and
the ELF for the Arm Architecture; sizes of its records are fixed there. Numbers of processors: the ABI's registry.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes

MAX_ELF_BYTES = 128 * 1024 * 1024
"""Largest ELF that is read: a few MiB of flash, and debug information many times that."""

MAX_SEGMENTS, MAX_SECTIONS, MAX_SYMBOLS = 64, 4096, 200_000
MAX_NAME = 4095
"""Longest name in bytes: the linker's names of C++ templates have thousands."""

MAX_NAMES_BYTES = 32 * 1024 * 1024
"""All names together: symbols may share bytes of their table, so its size alone is no bound."""

ARM, RISC_V, XTENSA = "Arm", "RISC-V", "Xtensa"
MACHINES = {40: ARM, 243: RISC_V, 94: XTENSA}
"""Number in the file -> processor."""

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<8I")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_MAGIC_32_LITTLE = b"\x7fELF\x01\x01\x01"
_EXECUTABLE = 2
_LOAD = 1
_SYMBOL_TABLE, _NO_BITS = 2, 8
_WRITABLE, _ALLOCATED, _THREAD_LOCAL = 1, 2, 0x400
_OBJECT, _FUNCTION, _NO_TYPE = 1, 2, 0
_FIRST_RESERVED_SECTION = 0xFF00


@dataclass(frozen=True)
class Segment:
    """What a programmer writes at ``load_address``, and what runs at ``address`` in ``memory_bytes`` bytes."""

    load_address: int
    address: int
    memory_bytes: int
    data: bytes


@dataclass(frozen=True)
class Section:
    """A part of the image that occupies memory when it runs; ``loaded`` if its content comes from the file.

    ``load_address`` is where a programmer writes that content, None if no segment loads it.
    """

    name: str
    address: int
    size_bytes: int
    loaded: bool
    load_address: int | None = None
    writable: bool = False


@dataclass(frozen=True)
class Symbol:
    """A name that the linker gave to an address (the Thumb bit of functions is cleared)."""

    name: str
    address: int
    size_bytes: int
    function: bool = False


@dataclass(frozen=True)
class Image:
    """A linked firmware image. ``sections`` are those that occupy memory; of equal names, global symbols win.

    ``objects`` are all functions and variables that have a size, of equal names every one.
    """

    path: Path
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: dict[str, Symbol]
    objects: tuple[Symbol, ...] = ()
    machine: str = ARM

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


def read_elf(path: Path, machines: Collection[str] = (ARM,)) -> Image:
    """Read and check ``path``; raises ``InputError`` that says what is wrong with it.

    ``machines``: the processors that it may be for; what is emulated here is Arm's.
    """
    content = read_bytes(path, MAX_ELF_BYTES)
    try:
        return _read(path, content, machines)
    except _Broken as error:
        raise InputError(f"{path} is not a firmware image: {error}; build it again") from None


class _Broken(Exception):
    """What is wrong with the file, as the end of a sentence."""


def _read(path: Path, content: bytes, machines: Collection[str]) -> Image:
    if len(content) < _HEADER.size:
        raise _Broken(f"it has {len(content)} bytes, fewer than an ELF header")
    magic, kind, machine, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, shstr = _HEADER.unpack_from(
        content
    )
    if not magic.startswith(b"\x7fELF"):
        raise _Broken("it does not begin as an ELF file")
    if not magic.startswith(_MAGIC_32_LITTLE) or MACHINES.get(machine) not in machines:
        raise _Broken(
            f"it is an ELF file, but not for a 32-bit little-endian {' or '.join(machines)} processor"
        )
    if kind != _EXECUTABLE:
        raise _Broken("it is an ELF file, but not a linked program")
    loads = [
        fields
        for fields in _table(content, "program headers", phoff, phnum, phsize, MAX_SEGMENTS, _SEGMENT)
        if fields[0] == _LOAD
    ]
    # Segments do not share bytes, so what they copy of the file is no more than the file.
    if sum(fields[4] for fields in loads) > len(content):
        raise _Broken("a segment lies outside the file, or over another one, so it is truncated or damaged")
    segments = tuple(_segment(content, fields) for fields in loads)
    if not segments:
        raise _Broken("it loads nothing")
    headers = list(_table(content, "section headers", shoff, shnum, shsize, MAX_SECTIONS, _SECTION))
    names = _Names(_content(content, headers, shstr, "section names") if headers else b"")
    sections = tuple(
        _section(names, fields, loads)
        for fields in headers
        # What is thread-local and empty takes no memory where it claims to be (ELF Handling For TLS).
        if fields[2] & _ALLOCATED and fields[5] and not (fields[2] & _THREAD_LOCAL and fields[1] == _NO_BITS)
    )
    symbols, objects = _symbols(content, headers, MACHINES[machine])
    return Image(path, segments, sections, symbols, objects, MACHINES[machine])


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


def _section(names: _Names, fields: tuple[int, ...], loads: list[tuple[int, ...]]) -> Section:
    name_offset, kind, flags, address, offset, size, *_ = fields
    _in_32_bits(address, size, "a section")
    load_address = next(
        (
            physical + offset - start
            for _, start, virtual, physical, file_bytes, _, _, _ in loads
            # By both, since an empty part of one segment may have the addresses of another.
            if start <= offset
            and offset + size <= start + file_bytes
            and address - virtual == offset - start
            and kind != _NO_BITS
        ),
        None,
    )
    return Section(names[name_offset], address, size, kind != _NO_BITS, load_address, bool(flags & _WRITABLE))


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


class _Names:
    """A string table; reading a name is bounded, and so is reading all of them."""

    def __init__(self, table: bytes) -> None:
        self._table = table
        self._left_bytes = MAX_NAMES_BYTES

    def __getitem__(self, offset: int) -> str:
        # The search is bounded, so that a table without terminators cannot make every name as long as the file.
        end = self._table.find(b"\0", offset, offset + MAX_NAME + 1)
        if end < 0:
            raise _Broken(f"a name lies outside its table or is longer than {MAX_NAME} bytes")
        self._left_bytes -= end - offset
        if self._left_bytes < 0:
            raise _Broken(f"its names have more than {MAX_NAMES_BYTES:,} bytes")
        return self._table[offset:end].decode("ascii", "backslashreplace")


def _symbols(
    content: bytes, headers: list[tuple[int, ...]], machine: str
) -> tuple[dict[str, Symbol], tuple[Symbol, ...]]:
    tables = [index for index, fields in enumerate(headers) if fields[1] == _SYMBOL_TABLE]
    if len(tables) > 1:
        raise _Broken("it has more than one symbol table")
    found: dict[str, Symbol] = {}
    objects: list[Symbol] = []
    for index in tables:
        table = _content(content, headers, index, "symbols")
        names = _Names(_content(content, headers, headers[index][6], "symbol names"))
        count = len(table) // _SYMBOL.size
        if headers[index][9] != _SYMBOL.size or len(table) % _SYMBOL.size or count > MAX_SYMBOLS:
            raise _Broken(f"its symbol table is damaged or has more than {MAX_SYMBOLS} entries")
        # Local symbols come first, so that a global one of the same name takes its place.
        for name_offset, value, size, info, _, section in _SYMBOL.iter_unpack(table):
            if name_offset and section:
                kind = info & 15
                is_function = kind == _FUNCTION
                address = value & ~1 if machine == ARM and is_function else value
                symbol = Symbol(names[name_offset], address, size, is_function)
                found[symbol.name] = symbol
                if size and kind in (_OBJECT, _FUNCTION, _NO_TYPE) and section < _FIRST_RESERVED_SECTION:
                    objects.append(symbol)
    return found, tuple(objects)
