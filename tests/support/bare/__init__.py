"""Functions linked for a Cortex-M without any start-up code, and called one by one in unicorn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES
from toolchain.cost.code_size import Compiler
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.emulator import import_unicorn

SCRIPT = Path(__file__).with_name("bare.ld")
MODELS = {
    "cortex-m0plus": "CORTEX_M0",
    "cortex-m3": "CORTEX_M3",
    "cortex-m4": "CORTEX_M4",
    "cortex-m7": "CORTEX_M7",
    "cortex-m33": "CORTEX_M33",
}
"""Cores that unicorn has, by its own names; an M0 executes for the M0+."""

_FLASH, _RAM, _BYTES = 0x0001_0000, 0x2000_0000, 1 << 20
_BUFFERS = _RAM + _BYTES // 2
_RETURN = 0x0001_0000 + _BYTES - 4


def link(folder: Path, core: str, compiler: Compiler, sources: Sequence[Path], main: str) -> Path:
    """Link ``sources`` and the text ``main``, of whose ``int main()`` all that is used must be reachable."""
    compiler, command = compilers.arm_command(compiler)
    (folder / "bare.c").write_text(main)
    flags = [*ARM[compiler], f"-mcpu={CORES[core][compiler]}", *CODE, "-nostdlib", "-Wl,--gc-sections"]
    flags += ["-Wl,--entry=main", "-T", str(SCRIPT)]
    folders = [f"-I{folder}" for folder in sorted({str(path.parent) for path in sources})]
    files = [str(path) for path in sources]
    elf = folder / f"bare_{core}_{compiler}.elf"
    done = compilers.run([*command, *flags, *folders, "bare.c", *files, "-o", str(elf)], folder)
    assert done.returncode == 0, done.stderr
    return elf


class Bare:
    """A core with ``elf`` in its flash; ``buffer`` gives it memory, ``call`` runs a function."""

    def __init__(self, elf: Path, core: str) -> None:
        self.image: Image = read_elf(elf)
        unicorn, self._arm = import_unicorn()
        self.core: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.core.ctl_set_cpu_model(getattr(self._arm, f"UC_CPU_ARM_{MODELS[core]}"))
        self.core.mem_map(_FLASH, _BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.core.mem_map(_RAM, _BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        for segment in self.image.segments:
            if segment.data:
                self.core.mem_write(segment.load_address, segment.data)
        self._next = _BUFFERS

    def buffer(self, data: bytes) -> int:
        """The address of a copy of ``data``."""
        address = self._next
        self._next += -(-len(data) // 8) * 8
        self.core.mem_write(address, data)
        return address

    def read(self, address: int, size_bytes: int) -> bytes:
        """What memory holds."""
        return bytes(self.core.mem_read(address, size_bytes))

    def call(self, function: str, *arguments: int) -> int:
        """What ``function`` returns for up to four words."""
        registers = [getattr(self._arm, f"UC_ARM_REG_R{index}") for index in range(4)]
        for register, value in zip(registers, arguments, strict=False):
            self.core.reg_write(register, value)
        self.core.reg_write(self._arm.UC_ARM_REG_SP, _BUFFERS)
        self.core.reg_write(self._arm.UC_ARM_REG_LR, _RETURN | 1)
        self.core.emu_start(self.image.symbol(function).address | 1, _RETURN, timeout=60_000_000)
        assert self.core.reg_read(self._arm.UC_ARM_REG_PC) == _RETURN
        return int(self.core.reg_read(registers[0]))

    def registers(self, page: int, read: Callable[[int], int], write: Callable[[int, int], None]) -> None:
        """Let ``read`` (of an address) and ``write`` (to it, a value) answer for the 4 KiB of registers at ``page``."""
        self.core.mmio_map(
            page,
            4096,
            lambda _core, offset, _size, _data: read(page + offset),
            None,
            lambda _core, offset, _size, value, _data: write(page + offset, value),
            None,
        )
