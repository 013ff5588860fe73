"""Hostile firmware files: every one ends in one sentence and exit code 3, soon and without much memory."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest

from tests.attacks.refusal import MEBI, refused
from tests.support import firmware
from toolchain.cli.main import main
from toolchain.errors import InputError
from toolchain.inspecting.firmware import inspect_elf
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification.elf import MACHINES, MAX_ELF_BYTES, read_elf
from toolchain.verification.firmware_lines import firmware_use
from toolchain.verification.image_use import used_bytes

HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
ARM32 = b"\x7fELF\x01\x01\x01" + bytes(9)
FIELDS = ("ident", "type", "machine", "version", "entry", "phoff", "shoff", "flags", "ehsize", "phentsize")
FIELDS += ("phnum", "shentsize", "shnum", "shstrndx")


def header(**changes: object) -> bytes:
    fields = dict.fromkeys(FIELDS, 0) | {"ident": ARM32, "type": 2, "machine": 40, "version": 1}
    return HEADER.pack(*(fields | changes).values())  # type: ignore[arg-type]


def segment(offset: int = 84, address: int = 0x0800_0000, file: int = 4, memory: int = 4) -> bytes:
    return struct.pack("<8I", 1, offset, address, address, file, memory, 5, 4)


def section(
    name: int = 0, kind: int = 1, offset: int = 0, size: int = 0, link: int = 0, entry: int = 0
) -> bytes:
    return struct.pack("<10I", name, kind, 0, 0, offset, size, link, 0, 1, entry)


def write(folder: Path, *parts: bytes) -> Path:
    path = folder / "firmware.elf"
    path.write_bytes(b"".join(parts))
    return path


ONE_SEGMENT = {"phoff": 52, "phentsize": 32, "phnum": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has 0 bytes, fewer than an ELF header"),
        (b"\x7fELF", "has 4 bytes"),
        (bytes(100), "does not begin as an ELF file"),
        (header(ident=b"\x7fELF\x02\x01\x01" + bytes(9)), "not for a 32-bit little-endian Arm"),
        (header(ident=b"\x7fELF\x01\x02\x01" + bytes(9)), "not for a 32-bit little-endian Arm"),
        (header(machine=62), "not for a 32-bit little-endian Arm"),
        (header(type=1), "not a linked program"),
        (header(), "loads nothing"),
        (header(phnum=65535, phentsize=32), "claims 65535 program headers, more than 64"),
        (
            header(shnum=65535, shentsize=40, **ONE_SEGMENT) + segment() + bytes(4),
            "claims 65535 section headers",
        ),
        (header(phnum=1, phentsize=0), "program headers are 0 bytes each, not 32"),
        (header(phnum=1, phentsize=32, phoff=0xFFFF_FFF0), "program headers lie outside the file"),
        (header(**ONE_SEGMENT) + segment()[:20], "program headers lie outside the file"),
        (header(**ONE_SEGMENT) + segment(offset=0xFFFF_FFFF), "a segment lies outside the file"),
        (
            header(**ONE_SEGMENT) + segment(file=0xFFFF_FFFF, memory=0xFFFF_FFFF),
            "a segment lies outside the file",
        ),
        (header(**ONE_SEGMENT) + segment(memory=2) + bytes(4), "more bytes in the file than in memory"),
        (header(**ONE_SEGMENT) + segment(address=0xFFFF_FFFE) + bytes(4), "beyond the 32-bit address space"),
        (header(**ONE_SEGMENT) + segment(memory=0xFFFF_FFFF) + bytes(4), "beyond the 32-bit address space"),
    ],
)
def test_absurd_headers(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=f"is not a firmware image: .*{sentence}"):
        read_elf(path)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ([section(kind=3, offset=0xFFFF_0000, size=100)], "section names lie outside the file"),
        ([section(kind=8, size=100)], "section names lie outside the file"),
        ([section(kind=3), section(kind=2, size=16, entry=0)], "symbol table is damaged"),
        ([section(kind=3), section(kind=2, size=15, entry=16)], "symbol table is damaged"),
        ([section(kind=3), section(kind=2, size=16, entry=16, link=9)], "in a section that does not exist"),
        (
            [section(kind=3), section(kind=2, offset=1, size=0xFFFF_FFF0, entry=16)],
            "symbols lie outside the file",
        ),
        (
            [section(kind=3), section(kind=2, entry=16), section(kind=2, entry=16)],
            "more than one symbol table",
        ),
    ],
)
def test_absurd_sections(tmp_path: Path, sections: list[bytes], sentence: str) -> None:
    head = header(shoff=88, shentsize=40, shnum=len(sections), **ONE_SEGMENT)
    path = write(tmp_path, head, segment(), bytes(4), *sections, bytes(16))
    with pytest.raises(InputError, match=sentence):
        read_elf(path)


def test_names_without_end_do_not_multiply(tmp_path: Path) -> None:
    """50,000 symbols whose names are one megabyte without a terminator: each name would be the whole table."""
    names, count = b"a" * 1_000_000, 50_000
    symbols = struct.pack("<IIIBBH", 1, 0, 0, 0, 0, 1) * count
    start = 88 + 3 * 40
    sections = [
        section(kind=3, offset=start, size=len(names)),
        section(kind=2, offset=start + len(names), size=len(symbols), link=0, entry=16),
        section(),
    ]
    head = header(shoff=88, shentsize=40, shnum=3, **ONE_SEGMENT)
    path = write(tmp_path, head, segment(), bytes(4), *sections, names, symbols)
    began = time.perf_counter()
    with pytest.raises(InputError, match="longer than 4095 bytes"):
        read_elf(path)
    assert time.perf_counter() - began < 2


def test_names_that_share_their_bytes_do_not_multiply(tmp_path: Path) -> None:
    """Each of 100,000 symbols is called by nearly 4 KiB of one and the same name."""
    names, count = b"a" * 4000 + b"\0", 100_000
    symbols = b"".join(struct.pack("<IIIBBH", 1 + index % 8, 0, 4, 1, 0, 1) for index in range(count))
    start = 88 + 2 * 40
    sections = [
        section(kind=3, offset=start, size=len(names)),
        section(kind=2, offset=start + len(names), size=len(symbols), link=0, entry=16),
    ]
    head = header(shoff=88, shentsize=40, shnum=2, **ONE_SEGMENT)
    path = write(tmp_path, head, segment(), bytes(4), *sections, names, symbols)
    with refused("its names have more than 33,554,432 bytes", most_bytes=128 * MEBI):
        read_elf(path)


def test_segments_that_share_their_bytes_do_not_multiply(tmp_path: Path) -> None:
    """64 segments, each the whole file of 8 MiB, would be half a gibibyte."""
    size = 8 * MEBI
    head = header(phoff=52, phentsize=32, phnum=64)
    segments = [segment(offset=0, file=size, memory=size)] * 64
    path = write(tmp_path, head, *segments, bytes(size))
    with refused("a segment lies outside the file, or over another one", most_bytes=32 * MEBI):
        read_elf(path)


@pytest.mark.parametrize("sections", [4000, 40])
def test_many_sections_and_symbols_over_each_other_are_mapped_soon(tmp_path: Path, sections: int) -> None:
    """Sections that all claim the same megabyte, and symbols spread over it: no product of the two is taken."""
    names = b"\0net_infer\0net_arena\0.text\0"
    symbols = struct.pack("<IIIBBH", 1, 0x0800_0000, 4, 2, 0, 1) + struct.pack(
        "<IIIBBH", 11, 0x2000_0000, 4, 1, 0, 1
    )
    symbols += b"".join(
        struct.pack("<IIIBBH", 1, 0x0800_0000 + 8 * index, 4, 1, 0, 1) for index in range(100_000)
    )
    start = 88 + (sections + 2) * 40
    headers = [
        section(kind=3, offset=start, size=len(names)),
        section(kind=2, offset=start + len(names), size=len(symbols), link=0, entry=16),
    ]
    headers += [
        struct.pack("<10I", 21, 8, 2, 0x0800_0000 + index, 0, 1_000_000, 0, 0, 1, 0)
        for index in range(sections)
    ]
    head = header(shoff=88, shentsize=40, shnum=len(headers), **ONE_SEGMENT)
    path = write(tmp_path, head, segment(), bytes(4), *headers, names, symbols)
    began = time.process_time()
    board = load("stm32f405")
    found = firmware_use(read_elf(path), board, budget(board))
    assert time.process_time() - began < 5
    used = {line.resource: line.used for line in found.lines}
    assert used["flash"] == 1_000_000 + sections - 1 and used["flash, network"] == 400_000


def test_many_sections_and_symbols_are_inspected_soon(tmp_path: Path) -> None:
    """Each of 50,000 symbols lies in none of 4,000 sections."""
    sections, count = 4000, 50_000
    names = b"\0.text\0" + b"".join(b"s%05d\0" % index for index in range(count))
    symbols = b"".join(
        struct.pack("<IIIBBH", 7 + 7 * index, 0xF000_0000 + 8 * index, 4, 1, 0, 1) for index in range(count)
    )
    start = 88 + (sections + 2) * 40
    headers = [
        section(kind=3, offset=start, size=len(names)),
        section(kind=2, offset=start + len(names), size=len(symbols), link=0, entry=16),
    ]
    headers += [
        struct.pack("<10I", 1, 8, 2, 0x0800_0000 + index, 0, 1_000_000, 0, 0, 1, 0)
        for index in range(sections)
    ]
    head = header(shoff=88, shentsize=40, shnum=len(headers), **ONE_SEGMENT)
    path = write(tmp_path, head, segment(), bytes(4), *headers, names, symbols)
    began = time.process_time()
    assert inspect_elf(path).symbols == ()
    assert time.process_time() - began < 5


@pytest.mark.parametrize("machine", [40, 94, 243])
def test_headers_of_other_processors_are_read_as_strictly(tmp_path: Path, machine: int) -> None:
    fields = {"machine": machine, **ONE_SEGMENT}
    assert read_elf(write(tmp_path, header(**fields), segment(), bytes(4)), MACHINES.values())
    with refused("program headers lie outside the file"):
        read_elf(write(tmp_path, header(**fields | {"phoff": 0xFFFF_FFF0})), MACHINES.values())
    with refused("not for a 32-bit little-endian Arm or RISC-V or Xtensa processor"):
        read_elf(write(tmp_path, header(**fields | {"machine": 62})), MACHINES.values())


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path, header())
    with path.open("r+b") as stream:
        stream.truncate(MAX_ELF_BYTES + 1)
    with pytest.raises(InputError, match="more than the 134,217,728 that are read here"):
        read_elf(path)


def test_huge_memory_of_a_small_file_is_only_a_number(tmp_path: Path) -> None:
    path = write(tmp_path, header(**ONE_SEGMENT), segment(address=0x2000_0100, memory=0xC000_0000), bytes(4))
    assert used_bytes(read_elf(path), firmware.profile())["sram"] == 0xC000_0000


def test_truncated_and_flipped_files_never_crash(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    good = firmware.build(tmp_path).read_bytes()
    rng = random.Random(0)
    path = tmp_path / "hostile.elf"
    damaged = [good[:length] for length in rng.sample(range(len(good)), 100)]
    for _ in range(300):
        content = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(min(len(content), 400))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
        damaged.append(bytes(content))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            used_bytes(read_elf(path), firmware.profile())
        except InputError:
            refused += 1
    assert refused > 150


@pytest.mark.parametrize("content", [b"", bytes(100), header(phnum=65535, phentsize=32)])
def test_check_ends_in_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    code = main(["check", str(write(tmp_path, content)), "--profile", "stm32f405"])
    captured = capsys.readouterr()
    assert (code, captured.out) == (3, "")
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1


def test_name_that_drives_the_terminal_is_escaped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = b"\0\x1b[31mred\0"
    allocated = struct.pack("<10I", 1, 1, 2, 0x4000_0000, 0, 16, 0, 0, 1, 0)
    start = 88 + 2 * 40
    head = header(shoff=88, shentsize=40, shnum=2, **ONE_SEGMENT)
    path = write(
        tmp_path, head, segment(), bytes(4), section(kind=3, offset=start, size=len(names)), allocated, names
    )
    assert main(["check", str(path), "--profile", "stm32f405"]) == 3
    assert "\x1b" not in capsys.readouterr().err
