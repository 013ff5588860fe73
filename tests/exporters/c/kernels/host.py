"""The kernels on this machine, watched by AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.exporters.c.kernels.cases import KERNELS, STEP_KERNELS
from tests.exporters.c.kernels.kernels import Kernels
from tests.exporters.c.kernels.machines import HERE, RUNTIME
from tests.exporters.c.kernels.memory import Placed
from tests.exporters.c.kernels.structs import Header

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g", "-std=c99")
# As in host.c.
READ_ONLY, WRITABLE, MEMORY_BYTES = 0x1000_0000, 0x2000_0000, 0x40_0000


class HostKernels(Kernels):
    """A running host.c. Whatever a kernel reads or writes beside its case's own memory ends it."""

    def __init__(self, program: subprocess.Popen[bytes]) -> None:
        super().__init__(
            Header(pointer_bytes=8),
            (READ_ONLY, READ_ONLY + MEMORY_BYTES),
            (WRITABLE, WRITABLE + MEMORY_BYTES),
        )
        self._program = program

    def run(self, placed: Placed) -> bytes:
        """Send the call and read the outcome."""
        arguments = [*placed.arguments, 0, 0][:3]
        message = _words([*KERNELS, *STEP_KERNELS].index(placed.kernel), *arguments, len(placed.content))
        for address, content in placed.content.items():
            message += _words(address, len(content)) + content
        message += _words(len(placed.readable), *(word for extent in placed.readable for word in extent))
        message += _words(placed.address, len(placed.expected))
        process = self._program
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(message)
        process.stdin.flush()
        found = process.stdout.read(len(placed.expected))
        if len(found) != len(placed.expected):
            raise AssertionError(f"{placed.kernel}: {process.stderr.read().decode(errors='replace')}")
        return found


@contextmanager
def opened(gcc: str, folder: Path) -> Iterator[HostKernels]:
    """host.c, compiled by ``gcc`` in ``folder`` and running."""
    program = folder / "kernels"
    sources = [str(path) for path in sorted(RUNTIME.glob("snn_*.c"))]
    command = [gcc, *SANITIZERS, "-I", str(RUNTIME), *sources, str(HERE / "host.c"), "-o", str(program)]
    subprocess.run(command, check=True, timeout=120)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([str(program)], **pipes) as process:  # type: ignore[call-overload]
        try:
            yield HostKernels(process)
        finally:
            process.kill()


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)
