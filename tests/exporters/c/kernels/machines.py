"""The machines that run kernels: each core in unicorn, its nearest machine in QEMU, from one image for both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, LINK
from tests.exporters.c.kernels.kernels import Kernels
from tests.exporters.c.kernels.memory import Placed
from tests.exporters.c.kernels.structs import Header
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.files import write_atomic
from toolchain.profiles.schema import Emulation, Profile
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.mailbox import Machine
from toolchain.verification.qemu_machine import QemuMachine, machine_profile

HERE = Path(__file__).parent
RUNTIME = Path(compilers.__file__).parent / "runtime"
LIMIT_S = 20.0
CODE_BYTES, DATA_BYTES, STACK_BYTES = 16_384, 64, 1024
"""Room for the kernels, the call and the stack; a case has the same addresses whatever the compiler made of them."""

HEADER = Header()

EmulatorName = Literal["unicorn", "qemu"]


class Memories(NamedTuple):
    """QEMU's machine for a core, and where its memories are; the core's name in unicorn, None if it has none."""

    machine: str
    unicorn: str | None
    flash: int
    flash_bytes: int
    ram: int
    ram_bytes: int


MIB = 1 << 20
CORE_MEMORIES = {
    "cortex-m0plus": Memories("microbit", "CORTEX_M0", 0, MIB // 4, 0x2000_0000, MIB // 64),
    "cortex-m3": Memories("mps2-an385", "CORTEX_M3", 0, 4 * MIB, 0x2000_0000, 4 * MIB),
    "cortex-m4": Memories("mps2-an386", "CORTEX_M4", 0, 4 * MIB, 0x2000_0000, 4 * MIB),
    "cortex-m7": Memories("mps2-an500", "CORTEX_M7", 0, 4 * MIB, 0x2000_0000, 4 * MIB),
    "cortex-m33": Memories("mps2-an505", "CORTEX_M33", 0x1000_0000, 4 * MIB, 0x3800_0000, 4 * MIB),
    "cortex-m55": Memories("mps3-an547", None, 0, MIB // 2, 0x2000_0000, MIB // 2),
}
"""Every core that firmware is built for; of an M0+ the emulators have the M0, whose instructions are the same."""

assert CORE_MEMORIES.keys() == CORES.keys()


class EmulatedKernels(Kernels):
    """All kernels in firmware that waits for a call."""

    def __init__(self, machine: Machine, image: Image, core: str) -> None:
        memories = CORE_MEMORIES[core]
        code = max(segment.load_address + len(segment.data) for segment in image.segments if segment.data)
        data = max(section.address + section.size_bytes for section in image.sections if section.writable)
        assert code <= memories.flash + CODE_BYTES and data <= memories.ram + DATA_BYTES
        super().__init__(
            HEADER,
            (memories.flash + CODE_BYTES, memories.flash + memories.flash_bytes),
            (memories.ram + DATA_BYTES, memories.ram + memories.ram_bytes - STACK_BYTES),
        )
        self._machine, self._image = machine, image

    def run(self, placed: Placed) -> bytes:
        """Write the call and what it reads into memory, and run until the next one is asked for."""
        for address, content in placed.content.items():
            self._machine.write(address, content)
        # Bit 0 of a function's address says that its code is Thumb's.
        words = (self._image.symbol(placed.kernel).address | 1, *placed.arguments)
        call = b"".join(word.to_bytes(4, "little") for word in words)
        self._machine.write(self._image.symbol("harness_call").address, call)
        self._machine.run_to_idle()
        return self._machine.read(placed.address, len(placed.expected))


def board(core: str) -> Profile:
    """A board that is QEMU's machine for ``core``."""
    memories = CORE_MEMORIES[core]
    emulation = Emulation(
        unicorn_cpu=memories.unicorn,
        qemu_machine=memories.machine,
        qemu_flash_origin=memories.flash,
        qemu_flash_bytes=memories.flash_bytes,
        qemu_ram_origin=memories.ram,
        qemu_ram_bytes=memories.ram_bytes,
        source="QEMU",
    )
    changes = {"name": memories.machine, "core": core, "emulation": emulation}
    return machine_profile(profiles.load("nrf52840").model_copy(update=changes))


def link(core: str, compiler: Compiler, folder: Path) -> Path:
    """An image of all kernels for ``core``, in ``folder``; made once, whoever asks first."""
    elf = folder / f"{core}-{compiler}.elf"
    if elf.exists():
        return elf
    memories = CORE_MEMORIES[core]
    script = folder / f"{core}-{compiler}.ld"
    write_atomic(script, _SCRIPT.format(**memories._asdict(), end=memories.ram + memories.ram_bytes))
    _, command = compilers.arm_command(compiler)
    flags = [
        *ARM[compiler],
        f"-mcpu={CORES[core][compiler]}",
        *CODE,
        *LINK,
        "-I",
        str(RUNTIME),
        "-T",
        str(script),
    ]
    sources = [str(path) for path in sorted(RUNTIME.glob("snn_*.c"))]
    unfinished = folder / f"{core}-{compiler}.{id(script)}.elf"
    outcome = compilers.run(
        [*command, *flags, *sources, str(HERE / "harness.c"), "-o", str(unfinished)], folder
    )
    assert outcome.returncode == 0, outcome.stderr
    unfinished.replace(elf)
    return elf


@contextmanager
def opened(emulator: EmulatorName, elf: Path, core: str) -> Iterator[EmulatedKernels]:
    """The image ``elf`` of ``core`` on an emulator, up to where it waits for its first call."""
    image, profile = read_elf(elf), board(core)
    with ExitStack() as stack:
        machine: Machine
        if emulator == "unicorn":
            machine = Emulator(image, profile, LIMIT_S)
        else:
            machine = stack.enter_context(QemuMachine(image, profile, LIMIT_S))
        machine.run_to_idle()
        yield EmulatedKernels(machine, image, core)


_SCRIPT = """\
PHDRS
{{
    code PT_LOAD;
    data PT_LOAD;
}}
MEMORY
{{
    FLASH (rx) : ORIGIN = {flash}, LENGTH = {flash_bytes}
    RAM (rw) : ORIGIN = {ram}, LENGTH = {ram_bytes}
}}
SECTIONS
{{
    .text : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) }} > FLASH :code
    .bss (NOLOAD) : {{ *(.bss*) }} > RAM :data
    /DISCARD/ : {{ *(.ARM.*) *(.comment) }}
}}
_stack_top = {end};
"""
