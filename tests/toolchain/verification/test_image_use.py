from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.errors import InputError
from toolchain.verification.elf import Image, Section, Segment, Symbol, read_elf
from toolchain.verification.image_use import used_bytes

FLASH, SRAM = 0x0800_0000, 0x2000_0100


def image(*sections: Section, segments: tuple[Segment, ...] = (), **symbols: int) -> Image:
    named = {name: Symbol(name, address, 0) for name, address in symbols.items()}
    return Image(Path("made.elf"), segments, sections, named)


def test_fixture_takes_code_mailbox_arena_and_stack(fixture_elf: Path) -> None:
    found = read_elf(fixture_elf)
    text = next(section for section in found.sections if section.name == ".text")
    memory = [section for section in found.sections if section.address >= SRAM]
    assert used_bytes(found, firmware.profile()) == {
        "flash": text.size_bytes,
        "sram": sum(section.size_bytes for section in memory),
    }


def test_initial_values_take_flash_and_sram() -> None:
    data = Section(".data", SRAM, 40, True)
    segments = (Segment(FLASH, FLASH, 100, bytes(100)), Segment(FLASH + 100, SRAM, 40, bytes(40)))
    found = image(Section(".text", FLASH, 100, True), data, segments=segments)
    assert used_bytes(found, firmware.profile()) == {"flash": 140, "sram": 40}


def test_stack_without_a_section_counts() -> None:
    found = image(Section(".bss", SRAM, 16, False), _stack_limit=SRAM + 64, _stack_top=SRAM + 192)
    assert used_bytes(found, firmware.profile())["sram"] == 16 + 128


def test_overlapping_claims_count_once() -> None:
    found = image(Section(".bss", SRAM, 100, False), _stack_limit=SRAM + 50, _stack_top=SRAM + 150)
    assert used_bytes(found, firmware.profile())["sram"] == 150


def test_segment_across_neighbouring_memories_is_split_by_its_sections() -> None:
    board = firmware.profile(
        regions=(
            firmware.region("flash", "flash", FLASH, 65_536, ("code", "weights")),
            firmware.region("low", "sram", 0x2000_0000, 4096, ("buffers",)),
            firmware.region("high", "sram", 0x2000_1000, 4096, ("stack",)),
        )
    )
    segment = Segment(0x2000_0000, 0x2000_0000, 4096 + 512, b"")
    sections = (Section(".arena", 0x2000_0000, 4096, False), Section(".stack", 0x2000_1000, 512, False))
    assert used_bytes(image(*sections, segments=(segment,)), board) == {"flash": 0, "low": 4096, "high": 512}


def test_too_large_is_counted_not_refused() -> None:
    found = image(Section(".text", FLASH, 65_000, True), Section(".rodata", FLASH + 65_000, 10_000, True))
    assert used_bytes(found, firmware.profile())["flash"] == 75_000


@pytest.mark.parametrize(
    ("address", "size", "sentence"),
    [
        (0x1000_0000, 16, "not in a memory of fixture_board"),
        (0x0000_0000, 16, "not in a memory of fixture_board"),
        (0x2000_0000, 16, "in what fixture_board reserves of sram"),
        (0x2000_3FFC, 16, "beyond what fixture_board gives of sram"),
        (0x2000_4000, 16, "beyond what fixture_board gives of sram"),
    ],
)
def test_image_for_another_board_is_refused(address: int, size: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        used_bytes(image(Section(".somewhere", address, size, False)), firmware.profile())
