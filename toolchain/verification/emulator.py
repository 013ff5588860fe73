"""A microcontroller in unicorn: the core, exactly the memories that the profile gives, and nothing else.

No peripheral, no vector fetch, no reserved memory is mapped: an access that would reach somebody else's
memory or an empty address faults, and is reported with its address and the instruction that made it.
Unicorn maps pages of 4 KiB; a memory that does not begin or end at a page gets the rest of that page, which
``inspection`` watches.

The core is chosen by its model. Unicorn's flag for M-profile cores must not be given with it: it replaces
the model, and an "M0" then runs instructions of an M4.
"""

from __future__ import annotations

from typing import Any

from toolchain.errors import InputError, ToolMissingError
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image

LIMIT_S = 60.0
"""Longest that the firmware may run without asking for work: some 10**10 instructions."""

PAGE_BYTES = 4096
_UNKNOWN = b"\xa5"
"""SRAM holds anything at power-on; firmware that counts on zeros must not pass."""
_ERASED = b"\xff"
_EXCEPTIONS = {
    2: "made a supervisor call",
    3: "ran into an address without code",
    7: "hit a breakpoint instruction",
}


class Emulator:
    """A ``Machine`` that executes ``image`` on the core and in the memories of ``profile``.

    Raises ``ToolMissingError`` if unicorn is not installed or has no such core, ``InputError`` if the image
    does not lie in the profile's memories.
    """

    def __init__(self, image: Image, profile: Profile, limit_s: float = LIMIT_S) -> None:
        self.unicorn, self.arm = import_unicorn()
        self.image, self.profile = image, profile
        self._limit_us = int(limit_s * 1e6)
        self._fault: str | None = None
        self._idle = image.symbol("spikenas_idle").address
        self.core = self._create()
        self._map()
        self._load()
        self._reset()

    @property
    def version(self) -> str:
        """Unicorn's version."""
        return str(self.unicorn.__version__)

    @property
    def model(self) -> str:
        """The emulated core, as profiles write it: ``cortex-m4``."""
        return str(self.profile.emulation and self.profile.emulation.unicorn_cpu).lower().replace("_", "-")

    def read(self, address: int, size_bytes: int) -> bytes:
        """Memory content; raises ``InputError`` where the board has no memory."""
        try:
            return bytes(self.core.mem_read(address, size_bytes))
        except (self.unicorn.UcError, ValueError, OverflowError):
            raise self._beyond(address, size_bytes) from None

    def write(self, address: int, data: bytes) -> None:
        """Change memory; raises ``InputError`` where the board has none."""
        try:
            self.core.mem_write(address, data)
        except self.unicorn.UcError:
            raise self._beyond(address, len(data)) from None

    def run_to_idle(self) -> None:
        """Run until ``spikenas_idle`` is entered; raises ``InputError`` on a fault or after ``limit_s``."""
        pc = self.core.reg_read(self.arm.UC_ARM_REG_PC)
        if pc == self._idle:
            # The function does nothing; going on at its caller lets the same address stop us next time.
            pc = self.core.reg_read(self.arm.UC_ARM_REG_LR)
        try:
            self.core.emu_start(pc | 1, self._idle, timeout=self._limit_us)
        except self.unicorn.UcError as error:
            raise self._broken(self._fault or f"stopped: {error}") from None
        pc = self.core.reg_read(self.arm.UC_ARM_REG_PC)
        if self._fault is not None:
            raise self._broken(self._fault)
        if pc != self._idle:
            raise self._broken(f"did not ask for work within {self._limit_us / 1e6:g} s, and was stopped")

    def _beyond(self, address: int, size_bytes: int) -> InputError:
        return InputError(
            f"{self.image.path} claims {size_bytes} bytes at 0x{address:08x}, which is not in what "
            f"{self.profile.name} gives to the network; export it for this profile"
        )

    def _broken(self, what: str) -> InputError:
        pc = self.core.reg_read(self.arm.UC_ARM_REG_PC)
        return InputError(
            f"{self.image.path} {what} (PC 0x{pc:08x}, in {self.image.function_at(pc)}); "
            "this image must not be flashed"
        )

    def _create(self) -> Any:
        model = (self.profile.emulation.unicorn_cpu if self.profile.emulation else None) or ""
        number = getattr(self.arm, f"UC_CPU_ARM_{model}", None)
        if number is None:
            raise ToolMissingError(
                f"unicorn {self.version} cannot run the core of {self.profile.name} ({self.profile.core}); "
                "use `--qemu` with qemu-system-arm installed"
            )
        core = self.unicorn.Uc(self.unicorn.UC_ARCH_ARM, self.unicorn.UC_MODE_THUMB)
        core.ctl_set_cpu_model(number)
        core.hook_add(self.unicorn.UC_HOOK_MEM_INVALID, self._on_invalid_access)
        core.hook_add(self.unicorn.UC_HOOK_INTR, self._on_exception)
        return core

    def _map(self) -> None:
        end = 0
        for region in sorted(self.profile.regions, key=lambda region: region.origin):
            first, last = region.available_origin, region.available_origin + region.available_bytes
            start = max(end, first // PAGE_BYTES * PAGE_BYTES)
            end = -(-last // PAGE_BYTES) * PAGE_BYTES
            if start < end:
                rights = self.unicorn.UC_PROT_READ
                rights |= self.unicorn.UC_PROT_WRITE if region.kind == "sram" else 0
                rights |= self.unicorn.UC_PROT_EXEC if "code" in region.holds else 0
                self.core.mem_map(start, end - start, rights)
                self.write(start, (_UNKNOWN if region.kind == "sram" else _ERASED) * (end - start))

    def _load(self) -> None:
        for segment in self.image.segments:
            try:
                self.core.mem_write(segment.load_address, segment.data)
            except self.unicorn.UcError:
                raise InputError(
                    f"{self.image.path} loads {len(segment.data)} bytes at 0x{segment.load_address:08x}, which is not "
                    f"in what {self.profile.name} gives to the network; export it for this profile"
                ) from None

    def _reset(self) -> None:
        stack_pointer, start = vector_table(self.image, self.profile)[:2]
        self.core.reg_write(self.arm.UC_ARM_REG_SP, stack_pointer)
        self.core.reg_write(self.arm.UC_ARM_REG_PC, start)

    def _on_invalid_access(self, core: Any, access: int, address: int, size: int, value: int, _: Any) -> bool:
        unicorn = self.unicorn
        what = {
            unicorn.UC_MEM_READ_UNMAPPED: f"read {size} bytes at 0x{address:08x}, where there is no memory for it",
            unicorn.UC_MEM_WRITE_UNMAPPED: f"wrote {size} bytes at 0x{address:08x}, where there is no memory for it",
            unicorn.UC_MEM_WRITE_PROT: f"wrote {size} bytes at 0x{address:08x}, which is flash",
        }
        self._fault = what.get(access, f"ran into 0x{address:08x}, where there is no code")
        return False

    def _on_exception(self, core: Any, number: int, _: Any) -> None:
        self._fault = _EXCEPTIONS.get(number, f"raised the processor's exception {number}")
        core.emu_stop()


def vector_table(image: Image, profile: Profile) -> tuple[int, ...]:
    """Initial stack pointer, first instruction and the handlers of NMI, HardFault, MemManage, BusFault, UsageFault.

    They are the words at the start of the region that holds the code; raises ``InputError`` if the image has
    none there.
    """
    starts = {segment.load_address for segment in image.segments}
    for region in profile.regions:
        if "code" in region.holds and region.available_origin in starts:
            words = image.read(region.available_origin, 28)
            return tuple(int.from_bytes(words[index : index + 4], "little") for index in range(0, 28, 4))
    raise InputError(
        f"{image.path} has no vector table at the start of a code memory of {profile.name}; export it for this profile"
    )


def import_unicorn() -> tuple[Any, Any]:
    """unicorn and its constants of Arm; raises ``ToolMissingError`` if it is not installed."""
    try:
        import unicorn
        from unicorn import arm_const
    except ImportError:
        raise ToolMissingError(
            "running firmware needs the Python package unicorn; install it with `pip install spikenas-deploy[mcu]`"
        ) from None
    return unicorn, arm_const
