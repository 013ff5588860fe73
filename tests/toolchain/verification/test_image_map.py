"""The memory of somebody's firmware, against what the compiler's own tools say, and on boards of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support import firmware, foreign
from toolchain.profiles import load
from toolchain.verification.elf import MACHINES, RISC_V, XTENSA, Image, Section, Segment, Symbol, read_elf
from toolchain.verification.image_map import ImageMap, MemoryRow, image_map
from toolchain.verification.network_symbols import NetworkBytes

FLASH, SRAM = 0x0800_0000, 0x2000_0100
BOARD = firmware.profile()


def made(*sections: Section, objects: tuple[Symbol, ...] = (), machine: str = "Arm") -> Image:
    return Image(Path("made.elf"), (), sections, {}, objects, machine)


def mapped(image: Image, profile: object = BOARD, prefixes: tuple[str, ...] = ("net_",)) -> ImageMap:
    return image_map(image, profile, NetworkBytes(image, prefixes))  # type: ignore[arg-type]


def test_sections_are_those_of_size(require_tool: Callable[[str], str]) -> None:
    require_tool("arm-none-eabi-gcc")
    elf = foreign.build()
    lines = [line.split() for line in foreign.binutil("size", "-A", elf).splitlines()[2:]]
    sizes = {
        name: int(size) for name, size, address in (line for line in lines if len(line) == 3) if int(address)
    }
    found = mapped(read_elf(elf), load("stm32f405"))
    assert {row.section: row.size_bytes for row in found.rows} == sizes
    assert found.used == {
        "flash": sizes[".isr_vector"] + sizes[".text"] + sizes[".data"],
        "sram": sizes[".data"] + sizes[".bss"] + sizes["._user_heap_stack"],
        "ccm": sizes[".ccm"],
    }


def test_the_network_s_part_is_that_of_nm(require_tool: Callable[[str], str]) -> None:
    require_tool("arm-none-eabi-gcc")
    elf = foreign.build()
    symbols = [line.split() for line in foreign.binutil("nm", "-S", elf).splitlines()]
    ours = [line for line in symbols if len(line) == 4 and line[3].startswith(("net_", "snn_"))]
    by_kind = {
        kind: sum(int(size, 16) for _, size, letter, _ in ours if letter.lower() in kind)
        for kind in ("tr", "bd")
    }
    found = mapped(read_elf(elf), load("stm32f405"), ("net_", "snn_"))
    assert found.network == {"flash": by_kind["tr"], "sram": 0, "ccm": by_kind["bd"]}
    assert found.network["ccm"] == foreign.plan().arena_bytes
    assert foreign.plan().constants_bytes <= found.network["flash"] < found.used["flash"]


def test_initial_values_are_the_network_s_in_both_memories() -> None:
    data = Section(".data", SRAM, 100, True, FLASH + 200, True)
    found = mapped(made(data, objects=(Symbol("net_gain", SRAM + 10, 30),)))
    assert found.used == {"flash": 100, "sram": 100} and found.network == {"flash": 30, "sram": 30}
    assert found.first == {"flash": FLASH + 200, "sram": SRAM}


def test_aliases_and_sections_of_their_own_count_once() -> None:
    arena = Section(".bss.net_arena", SRAM, 64, False)
    objects = (Symbol("net_arena", SRAM, 64), Symbol("net_alias", SRAM + 32, 32))
    assert mapped(made(arena, objects=objects)).network["sram"] == 64
    # Without any symbol, the section's name still says it.
    assert mapped(made(arena)).network["sram"] == 64
    assert mapped(made(Section(".bss.network", SRAM, 64, False))).network["sram"] == 0


def test_what_lies_in_no_memory_is_told() -> None:
    backup = Section(".backup", 0x4002_4000, 16, False)
    found = mapped(made(Section(".text", FLASH, 10, True, FLASH), backup))
    assert found.rows[-1] == MemoryRow(None, ".backup", 0x4002_4000, 16, 0)
    assert found.used == {"flash": 10, "sram": 0}


def test_sections_behind_one_that_overflows_overflow_too() -> None:
    text = Section(".text", FLASH, 70_000, True, FLASH)
    behind = Section(".rodata", FLASH + 70_008, 100, True, FLASH + 70_008)
    far = Section(".far", FLASH + 0x10_0000, 100, True, FLASH + 0x10_0000)
    assert mapped(made(text, behind, far)).used["flash"] == 70_100


def test_a_section_across_two_memories_is_cut_where_they_meet() -> None:
    board = firmware.profile(
        regions=(
            firmware.region("flash", "flash", FLASH, 65_536, ("code", "weights")),
            firmware.region("low", "sram", 0x2000_0000, 4096, ("buffers",)),
            firmware.region("high", "sram", 0x2000_1000, 4096, ("stack",)),
        )
    )
    heap = Section(".heap", 0x2000_0F00, 512, False)
    found = mapped(made(heap, objects=(Symbol("net_x", 0x2000_0FF0, 32),)), board)
    assert found.used == {"flash": 0, "low": 256, "high": 256}
    assert found.network == {"flash": 0, "low": 16, "high": 16}


def test_an_image_that_a_debugger_puts_into_ram_takes_no_flash() -> None:
    code = Section(".text", SRAM, 100, True, SRAM)
    data = Section(".data", SRAM + 100, 20, True, SRAM + 100, True)
    found = mapped(made(code, data))
    assert found.used == {"flash": 0, "sram": 120} and len(found.rows) == 2


def test_what_a_loader_copies_into_ram_is_kept_in_flash() -> None:
    """The ESP32-S3: content is linked for where it runs, and its loader copies it there or maps it."""
    board = load("esp32s3")
    sections = (
        Section(".flash.rodata", 0x3C00_0020, 1000, True, 0x3C00_0020),
        Section(".flash.text", 0x4200_0020, 5000, True, 0x4200_0020),
        Section(".dram0.data", 0x3FC8_8000, 300, True, 0x3FC8_8000, True),
        Section(".dram0.bss", 0x3FC8_8200, 700, False),
    )
    objects = (Symbol("net_infer", 0x4200_0100, 600, True), Symbol("net_arena", 0x3FC8_8200, 512))
    found = mapped(made(*sections, objects=objects, machine=XTENSA), board)
    assert found.used == {"flash": 6300, "dram": 1000} and found.network == {"flash": 600, "dram": 512}
    assert [row.section for row in found.rows if row.region is None] == [".flash.text"]


def test_without_a_profile_memories_are_told_apart_as_size_does(require_tool: Callable[[str], str]) -> None:
    require_tool("arm-none-eabi-gcc")
    elf = foreign.build()
    fields = foreign.binutil("size", "-G", elf).splitlines()[1].split()
    found = mapped(read_elf(elf), None, ("net_", "snn_"))
    text, data, bss = map(int, fields[:3])
    # GNU counts a writable section with code as text; it is kept in flash and used in RAM all the same.
    assert found.used["flash"] == text + data
    assert found.used["sram"] == bss + 40


def test_a_file_without_sections_is_mapped_by_its_segments() -> None:
    segments = (Segment(FLASH, FLASH, 100, bytes(100)), Segment(FLASH + 100, SRAM, 40, bytes(20)))
    image = Image(Path("made.hex"), segments, (), {})
    assert mapped(image).used == {"flash": 120, "sram": 40}
    assert mapped(image, None).used == {"flash": 120, "sram": 40}


def test_riscv_firmware_is_read(tmp_path: Path, require_package: Callable[[str], None]) -> None:
    require_package("ziglang")
    import subprocess
    import sys

    (tmp_path / "main.c").write_text(
        "int net_arena[16]; int gain = 3; void net_infer(void) { net_arena[0] += gain; }"
        "void _start(void) { for (;;) net_infer(); }"
    )
    (tmp_path / "user.ld").write_text(
        "MEMORY { F (rx) : ORIGIN = 0x42000000, LENGTH = 1M R (rw) : ORIGIN = 0x3FC80000, LENGTH = 64K }\n"
        "SECTIONS { .text : { *(.text*) } > F .data : { *(.data* .sdata*) } > R AT> F .bss : { *(.bss* .sbss*) } > R }"
    )
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "riscv32-freestanding",
        "-O1",
        "-ffreestanding",
    ]
    command += ["-fno-unwind-tables", "-nostdlib", "-T", str(tmp_path / "user.ld"), str(tmp_path / "main.c")]
    subprocess.run([*command, "-o", str(tmp_path / "app.elf")], check=True, timeout=300)
    image = read_elf(tmp_path / "app.elf", MACHINES.values())
    found = mapped(image, None)
    assert image.machine == RISC_V
    assert found.used["sram"] == 68 and found.network["sram"] == 64
    assert 0 < found.network["flash"] < found.used["flash"] < 400
