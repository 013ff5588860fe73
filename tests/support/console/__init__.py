"""Firmware with the console of ``exporters/c/runtime``: on this machine under the sanitizers, and for QEMU's boards."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from exporters.c import compilers, export
from exporters.c.export import BARE_METAL, EXAMPLE
from tests.support.pty_board import PtyBoard
from toolchain import profiles
from toolchain.graph.graph import Graph

START_S = 20.0
HERE = Path(__file__).parent
TIMER_HZ = 25_000_000
"""The clock of the boards' timer (QEMU, hw/arm/mps2.c)."""

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def host_console(graph: Graph, folder: Path) -> Path:
    """A program whose standard input and output are the console of ``graph``."""
    sources = export(graph, profiles.load("stm32f405"), folder)[0].parent
    program = folder / "console"
    files = [str(path) for pattern in ("snn_*.c", "net.c", "spikenas_*.c") for path in sources.glob(pattern)]
    command = ["gcc", "-std=c99", "-O1", *SANITIZERS, f"-I{sources}", *files, str(HERE / "host.c")]
    outcome = compilers.run([*command, "-o", str(program)], folder)
    assert outcome.returncode == 0, outcome.stderr
    return program


def board_console(sources: Path, folder: Path, *flags: str, counter: bool = True) -> Path:
    """Firmware for QEMU's mps2 boards around the exported ``sources``, as a user makes it from the example beside them.

    ``flags`` go to the compiler; ``counter`` takes the board's timer, since QEMU's cores have no cycle counter.
    """
    example = (sources / EXAMPLE).read_text()
    if counter:
        for before, after in (
            ("NET_HAS_CYCLES ? snn_cycles : 0,", "board_counter,"),
            ("0, /* counts a second", f"{TIMER_HZ}u, /* counts a second"),
            ("static const", "extern uint32_t board_counter(void);\nstatic const"),
        ):
            assert example.count(before) == 1, example
            example = example.replace(before, after)
    (folder / "main.c").write_text(example)
    parts = sorted(path for path in sources.glob("*.c") if path.name not in BARE_METAL)
    elf = folder / "console.elf"
    command = [
        "arm-none-eabi-gcc",
        "-mcpu=cortex-m4+nofp",
        "-mthumb",
        "-std=c99",
        "-O2",
        "-ffreestanding",
        *flags,
    ]
    command += [
        "-nostdlib",
        "-fno-tree-loop-distribute-patterns",
        "-T",
        str(HERE / "mps2.ld"),
        f"-I{sources}",
    ]
    command += [str(HERE / "cmsdk.c"), str(folder / "main.c"), *map(str, parts), "-o", str(elf), "-lgcc"]
    outcome = compilers.run(command, folder)
    assert outcome.returncode == 0, outcome.stderr
    return elf


class QemuBoard(PtyBoard):
    """``elf`` on a QEMU board; its UART is at the other end of ``port``.

    By way of a socket, since QEMU's own pty notices only after a second that it was opened.
    """

    def __init__(self, elf: Path, machine: str = "mps2-an386") -> None:
        super().__init__()
        # The elf's own folder may have a path that is too long for a socket.
        self._folder = tempfile.TemporaryDirectory(prefix="spikenas-")
        path = Path(self._folder.name) / "uart"
        command = ["qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-nodefaults"]
        command += ["-chardev", f"socket,id=uart,path={path},server=on,wait=on", "-serial", "chardev:uart"]
        quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._child = subprocess.Popen([*command, "-kernel", str(elf)], **quiet)
        self._uart = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + START_S
        while self._uart.connect_ex(str(path)):
            assert self._child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)

    def __exit__(self, *error: Any) -> None:
        try:
            super().__exit__(*error)
        finally:
            self._child.kill()
            self._child.wait()
            self._uart.close()
            self._folder.cleanup()

    def serve(self) -> None:
        """Carry bytes either way."""
        ready, _, _ = select.select([self._ours, self._uart], [], [], 0.05)
        if self._ours in ready:
            self._uart.sendall(os.read(self._ours, 4096))
        if self._uart in ready:
            self.write(self._uart.recv(4096))
