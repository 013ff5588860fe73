from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import InputError
from toolchain.verification.elf import read_elf


def test_reads_what_pyelftools_reads(fixture_elf: Path) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    image = read_elf(fixture_elf)
    with fixture_elf.open("rb") as stream:
        theirs = elffile.ELFFile(stream)
        symbols = {
            symbol.name: (
                symbol["st_value"] & ~int(symbol["st_info"]["type"] == "STT_FUNC"),
                symbol["st_size"],
            )
            for symbol in theirs.get_section_by_name(".symtab").iter_symbols()
            if symbol.name and symbol["st_shndx"] != "SHN_UNDEF"
        }
        segments = [
            (s["p_paddr"], s["p_vaddr"], s["p_memsz"], s.data()) for s in theirs.iter_segments("PT_LOAD")
        ]
        sections = [
            (s.name, s["sh_addr"], s["sh_size"])
            for s in theirs.iter_sections()
            if s["sh_flags"] & 2 and s["sh_size"]
        ]
    assert {name: (s.address, s.size_bytes) for name, s in image.symbols.items()} == symbols
    assert [(s.load_address, s.address, s.memory_bytes, s.data) for s in image.segments] == segments
    assert [(s.name, s.address, s.size_bytes) for s in image.sections] == sections


def test_functions_have_no_thumb_bit_and_are_found_by_address(fixture_elf: Path) -> None:
    image = read_elf(fixture_elf)
    infer = image.symbol("net_infer")
    assert infer.address % 2 == 0
    assert image.function_at(infer.address + 4) == "net_infer"
    assert image.function_at(0x1234_5678) == "no known function"


def test_missing_symbol_and_content_are_told(fixture_elf: Path) -> None:
    image = read_elf(fixture_elf)
    with pytest.raises(InputError, match="has no symbol 'net_missing'"):
        image.symbol("net_missing")
    with pytest.raises(InputError, match="loads nothing at 0x20000000"):
        image.read(0x2000_0000, 4)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_elf(tmp_path / "firmware.elf")
