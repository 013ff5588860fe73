from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support import foreign
from tests.support.load_files import END, hex_file, record
from toolchain.verification.elf import Segment, read_elf
from toolchain.verification.hex_file import read_hex


def written(folder: Path, content: bytes) -> Path:
    path = folder / "firmware.hex"
    path.write_bytes(content)
    return path


def test_what_the_compiler_s_objcopy_writes_is_what_the_elf_loads(
    tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    require_tool("arm-none-eabi-gcc")
    elf, path = foreign.build(), tmp_path / "firmware.hex"
    foreign.binutil("objcopy", "-O", "ihex", elf, path)
    loaded = {segment.load_address: segment.data for segment in read_elf(elf).segments if segment.data}
    first = min(loaded)
    (found,) = read_hex(path).segments
    assert found == Segment(
        first, first, len(found.data), b"".join(loaded[address] for address in sorted(loaded))
    )


def test_records_in_any_order_are_joined(tmp_path: Path) -> None:
    path = written(
        tmp_path, hex_file([(0x0800_FFF0, bytes(16)), (0x0801_0000, b"abcd"), (0x0800_FFE0, b"x" * 16)])
    )
    assert [(s.load_address, len(s.data)) for s in read_hex(path).segments] == [(0x0800_FFE0, 36)]


def test_segmented_addresses_start_addresses_and_blank_lines(tmp_path: Path) -> None:
    lines = [
        record(2, 0, b"\x10\x00"),
        record(0, 0x20, b"ab"),
        b"\n",
        record(3, 0, bytes(4)),
        record(5, 0, bytes(4)),
    ]
    path = written(tmp_path, b"".join([*lines, END, b"\n"]))
    assert read_hex(path).segments == (Segment(0x1_0020, 0x1_0020, 2, b"ab"),)


def test_lower_case_and_an_empty_record_are_fine(tmp_path: Path) -> None:
    path = written(tmp_path, record(0, 0, b"").lower() + record(0, 0x10, b"\xab\xcd").lower() + END)
    assert read_hex(path).segments == (Segment(0x10, 0x10, 2, b"\xab\xcd"),)


def test_the_last_byte_of_the_address_space(tmp_path: Path) -> None:
    (found,) = read_hex(written(tmp_path, hex_file([(0xFFFF_FFFC, b"abcd")]))).segments
    assert found.load_address + len(found.data) == 1 << 32
