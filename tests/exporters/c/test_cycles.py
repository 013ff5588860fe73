"""The cycle counter: started and read as the manuals of each core say."""

from __future__ import annotations

import ctypes
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, HOST
from tests.support.bare import Bare, link
from toolchain.cost.code_size import Compiler

RUNTIME = Path(__file__).parents[3] / "exporters" / "c" / "runtime"
SOURCE = RUNTIME / "snn_cycles.c"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Wpedantic", "-Werror")
MAIN = '#include "snn_cycles.h"\nint main(void)\n{\n    return (int)snn_cycles() + SNN_HAS_CYCLES;\n}\n'
MCYCLE = 0xB00

DEMCR, CTRL, COUNT, LAR = 0xE000_EDFC, 0xE000_1000, 0xE000_1004, 0xE000_1FB0
TRACE, ENABLE, KEY = 1 << 24, 1, 0xC5AC_CE55

Tools = Callable[[str], object]


class Registers:
    """The registers of Arm's DWT as the architecture manuals describe them: dead without trace, and locked.

    QEMU and unicorn model none of them. ``missing``: the core was made without a cycle counter, so nothing counts.
    """

    def __init__(self, missing: bool = False) -> None:
        self.demcr, self.ctrl, self.open, self.missing = 1, 0x4000_0000, False, missing
        self.count, self.refused = 1000, 0

    def read(self, address: int) -> int:
        if address == DEMCR:
            return self.demcr
        if not self.demcr & TRACE:
            self.refused += 1
            return 0
        if address == COUNT:
            self.count += 10 * (self.ctrl & ENABLE)
            return self.count if not self.missing else 0
        return self.ctrl

    def write(self, address: int, value: int) -> None:
        if address == DEMCR:
            self.demcr = value
        elif not self.demcr & TRACE:
            self.refused += 1
        elif address == LAR:
            self.open = value == KEY
        elif address == CTRL and self.open and not self.missing:
            self.ctrl = value
        else:
            self.refused += 1


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"])
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_the_counter_of_a_cortex_m_is_started_once_and_read(
    tmp_path: Path, core: str, compiler: Compiler, require_tool: Tools, require_package: Tools
) -> None:
    """On stand-ins for the registers, since no emulator here models the DWT."""
    require_package("unicorn")
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    board = Bare(link(tmp_path, core, compiler, [SOURCE], MAIN), core)
    dwt = Registers()
    board.registers(DEMCR // 4096 * 4096, dwt.read, dwt.write)
    board.registers(CTRL, dwt.read, dwt.write)
    assert [board.call("snn_cycles") for _ in range(3)] == [1010, 1020, 1030]
    # What other bits of the registers said is kept.
    assert dwt.demcr == TRACE | 1 and dwt.ctrl == 0x4000_0000 | ENABLE and not dwt.refused
    # Started by somebody else, it is left alone.
    dwt.open = False
    assert board.call("main") == 1040 + 1 and not dwt.refused


def test_a_core_made_without_its_counter_reads_zero(tmp_path: Path, require_package: Tools) -> None:
    require_package("unicorn")
    require_package("ziglang")
    board, dwt = (
        Bare(link(tmp_path, "cortex-m4", "zig", [SOURCE], MAIN), "cortex-m4"),
        Registers(missing=True),
    )
    board.registers(DEMCR // 4096 * 4096, dwt.read, dwt.write)
    board.registers(CTRL, dwt.read, dwt.write)
    assert [board.call("snn_cycles") for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_every_core_compiles_it_and_the_smallest_has_none(
    tmp_path: Path, compiler: Compiler, require_tool: Tools, require_package: Tools
) -> None:
    require_tool("arm-none-eabi-gcc") if compiler == "gcc" else require_package("ziglang")
    _, command = compilers.arm_command(compiler)
    for core, names in CORES.items():
        (tmp_path / "has.c").write_text(
            f'#include "snn_cycles.h"\nextern char has[SNN_HAS_CYCLES == {int(core != "cortex-m0plus")} ? 1 : -1];\n'
        )
        flags = [*ARM[compiler], f"-mcpu={names[compiler]}", *CODE, *WARNINGS, f"-I{RUNTIME}", "-c"]
        for source in (str(SOURCE), "has.c"):
            done = compilers.run([*command, *flags, source, "-o", "out.o"], tmp_path)
            assert done.returncode == 0, (core, done.stderr)


def test_this_machine_has_none(tmp_path: Path) -> None:
    target = tmp_path / "libcycles.so"
    command = [*compilers.host_command(), *HOST, *WARNINGS, str(SOURCE), "-o", str(target)]
    done = compilers.run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert ctypes.CDLL(str(target)).snn_cycles() == 0


def test_risc_v_s_counter_counts(tmp_path: Path, require_package: Tools) -> None:
    """The word is csrr, of mcycle, and unicorn's RISC-V counts with it."""
    require_package("ziglang")
    require_package("unicorn")
    _, command = compilers.arm_command("zig")
    target = tmp_path / "cycles.o"
    flags = [
        "-target",
        "riscv32-freestanding",
        "-std=c99",
        "-O2",
        "-g0",
        "-ffreestanding",
        "-fno-pic",
        *WARNINGS,
    ]
    done = compilers.run([*command, *flags, "-c", str(SOURCE), "-o", str(target)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert _has_csrr(_text(target)), "no csrr of mcycle"
    import unicorn
    from unicorn import riscv_const as riscv

    core = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
    core.mem_map(0x10000, 0x2000)
    core.mem_write(0x10000, _text(target))
    readings = []
    for _ in range(2):
        core.reg_write(riscv.UC_RISCV_REG_SP, 0x12000)
        core.reg_write(riscv.UC_RISCV_REG_RA, 0x11000)
        core.emu_start(0x10000, 0x11000, timeout=1_000_000)
        assert core.reg_read(riscv.UC_RISCV_REG_PC) == 0x11000
        readings.append(core.reg_read(riscv.UC_RISCV_REG_A0))
    assert readings[1] != readings[0]
    # ESP-IDF's chips have another counter, which its own function reads.
    done = compilers.run([*command, *flags, "-DESP_PLATFORM", "-c", str(SOURCE), "-o", str(target)], tmp_path)
    assert done.returncode == 0 and not _has_csrr(_text(target))


def test_xtensa_s_counter_is_read(tmp_path: Path) -> None:
    """No emulator here runs Xtensa: the instruction is looked at, in what an assembler of its own makes."""
    compiler = "xtensa-lx106-elf-gcc"
    if shutil.which(compiler) is None:
        pytest.skip("gcc-xtensa-lx106 is not installed; sudo apt-get install gcc-xtensa-lx106")
    target = tmp_path / "cycles.o"
    done = compilers.run([compiler, *CODE, *WARNINGS, "-c", str(SOURCE), "-o", str(target)], tmp_path)
    assert done.returncode == 0, done.stderr
    # rsr.ccount a2: special register 234, RSR (Xtensa Instruction Set Architecture, "RSR.*").
    assert bytes.fromhex("20ea03") in _text(target)


def _has_csrr(code: bytes) -> bool:
    words = (int.from_bytes(code[at : at + 4], "little") for at in range(0, len(code) - 3, 2))
    return any(word >> 20 == MCYCLE and word & 0xFF07F == 0x02073 for word in words)


def _text(path: Path) -> bytes:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as stream:
        sections = ELFFile(stream).iter_sections()
        return b"".join(s.data() for s in sections if re.match(r"\.text", s.name))
