"""A microcontroller in QEMU's system emulator, driven through its GDB stub: a second opinion on unicorn's.

QEMU has not every board, and its memories are not those of the profile: it runs the nearest machine, where a
stray access need not fault. What the image may use is proven with unicorn; here only the integers count.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from toolchain.errors import InputError, ToolMissingError
from toolchain.profiles.schema import Profile, Region
from toolchain.verification.elf import Image
from toolchain.verification.emulator import LIMIT_S, vector_table
from toolchain.verification.gdb import GdbClient, GdbError
from toolchain.verification.image_use import extents

PROGRAM = "qemu-system-arm"
START_S = 20.0
"""Longest that QEMU may take to open its GDB stub."""

_SP, _PC, _XPSR = 13, 15, 25
_THUMB = 1 << 24


class QemuMachine:
    """A ``Machine`` that executes ``image``, linked for the memories of ``profile``, on that profile's QEMU machine.

    QEMU runs while the context manager is open, and is killed when it closes, whatever happens. Raises
    ``ToolMissingError`` if QEMU is not installed, ``InputError`` if it cannot run the image.
    """

    def __init__(self, image: Image, profile: Profile, limit_s: float = LIMIT_S) -> None:
        self.image, self._limit_s = image, limit_s
        self.machine = machine_name(profile)
        self._vectors = vector_table(image, profile)
        self._idle = image.symbol("spikenas_idle").address
        self._program = program()
        self._folder = tempfile.TemporaryDirectory(prefix="spikenas-")
        self._child: subprocess.Popen[bytes] | None = None
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> QemuMachine:
        try:
            self._start()
            self._gdb = GdbClient(self._connection)
            self._reset()
        except GdbError as error:
            self.close()
            raise self._failed(error) from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill QEMU and remove its socket."""
        self._connection.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._folder.cleanup()

    def read(self, address: int, size_bytes: int) -> bytes:
        """Memory content."""
        try:
            return self._gdb.read(address, size_bytes)
        except GdbError as error:
            raise self._failed(error) from None

    def write(self, address: int, data: bytes) -> None:
        """Change memory."""
        try:
            self._gdb.write(address, data)
        except GdbError as error:
            raise self._failed(error) from None

    def run_to_idle(self) -> None:
        """Run until ``spikenas_idle`` is entered; raises ``InputError`` on a fault or after ``limit_s``."""
        try:
            # A step leaves the breakpoint that the target stands on.
            self._gdb.step()
            stopped = self._gdb.run(self._limit_s)
            pc = self._gdb.read_register(_PC)
        except GdbError as error:
            raise self._failed(error) from None
        where = f"(PC 0x{pc:08x}, in {self.image.function_at(pc)}) on QEMU's {self.machine}"
        if not stopped:
            raise InputError(f"{self.image.path} did not ask for work within {self._limit_s:g} s {where}")
        if pc != self._idle:
            raise InputError(
                f"{self.image.path} took a processor fault {where}; this image must not be flashed"
            )

    def _start(self) -> None:
        path = Path(self._folder.name) / "gdb"
        socket_option = f"socket,id=gdb,path={str(path).replace(',', ',,')},server=on,wait=off"
        command = [
            *(self._program, "-M", self.machine, "-display", "none", "-monitor", "none", "-serial", "none"),
            *(
                "-nodefaults",
                "-S",
                "-chardev",
                socket_option,
                "-gdb",
                "chardev:gdb",
                "-kernel",
                str(self.image.path),
            ),
        ]
        # Where the system can, QEMU also dies with us if we are killed and cannot clean up.
        guard = shutil.which("setpriv")
        if guard:
            command = [guard, "--pdeathsig", "KILL", *command]
        # To a file, since nobody reads a pipe meanwhile.
        log = Path(self._folder.name) / "log"
        with log.open("wb") as stream:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream
            )
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._connection.connect(str(path))
                return
            except OSError:
                if self._child.poll() is not None:
                    said = log.read_text(errors="replace").strip().splitlines()
                    raise GdbError(said[-1] if said else f"exit code {self._child.returncode}") from None
                if time.monotonic() > deadline:
                    raise GdbError(f"its GDB stub did not open within {START_S:g} s") from None
                time.sleep(0.01)

    def _reset(self) -> None:
        stack_pointer, start = self._vectors[0], self._vectors[1]
        self._gdb.write_register(_SP, stack_pointer)
        self._gdb.write_register(_XPSR, _THUMB)
        self._gdb.write_register(_PC, start & ~1)
        for address in {self._idle, *(vector & ~1 for vector in self._vectors[2:] if vector)}:
            self._gdb.set_breakpoint(address)

    def _failed(self, error: GdbError) -> InputError:
        return InputError(f"{self.image.path} cannot be run on QEMU's {self.machine}: {error}")


def program() -> str:
    """Path of QEMU; raises ``ToolMissingError`` if it is not installed."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise ToolMissingError(
            f"{PROGRAM} is not installed; on Debian: apt-get install --no-install-recommends qemu-system-arm"
        )
    return found


def machine_name(profile: Profile) -> str:
    """The QEMU machine nearest to the board of ``profile``; raises ``ToolMissingError`` if QEMU has none."""
    name = profile.emulation.qemu_machine if profile.emulation else None
    if name is None:
        raise ToolMissingError(
            f"QEMU has no machine near {profile.name}; its profile names none under [emulation]"
        )
    return name


def machine_profile(profile: Profile) -> Profile:
    """``profile`` with the memories of its QEMU machine in place of the board's, none of them reserved."""
    name, emulation = machine_name(profile), profile.emulation
    if emulation is None or None in (
        sizes := (
            emulation.qemu_flash_origin,
            emulation.qemu_flash_bytes,
            emulation.qemu_ram_origin,
            emulation.qemu_ram_bytes,
        )
    ):
        raise InputError(
            f"profile {profile.name} names the QEMU machine {name}, but not where its memories are; "
            "add qemu_flash_origin, qemu_flash_bytes, qemu_ram_origin and qemu_ram_bytes"
        )
    flash, flash_bytes, ram, ram_bytes = (int(size or 0) for size in sizes)
    source = emulation.source
    regions = (
        Region(
            name="flash",
            kind="flash",
            origin=flash,
            size_bytes=flash_bytes,
            holds=("code", "weights"),
            source=source,
        ),
        Region(
            name="sram",
            kind="sram",
            origin=ram,
            size_bytes=ram_bytes,
            holds=("buffers", "stack"),
            source=source,
        ),
    )
    return profile.model_copy(update={"regions": regions})


def fits(image: Image, machine: Profile) -> bool:
    """Whether ``image`` lies wholly in the memories of ``machine``, so that it need not be linked again."""
    return all(
        any(r.origin <= extent.start and extent.end <= r.origin + r.size_bytes for r in machine.regions)
        for extent in extents(image)
    )
