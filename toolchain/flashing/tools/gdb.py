"""GDB's ``load`` through a GDB server: a debug probe's own, an FPGA's, or an emulator's."""

from __future__ import annotations

import re

from toolchain.errors import InputError, OutputsDifferError
from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, last_words
from toolchain.flashing.tools.base import Tool, port, program, written


class Gdb(Tool):
    """Writes the sections of the ELF, each to its own address; what is erased is the server's affair."""

    name = "gdb"
    programs = ("gdb-multiarch", "arm-none-eabi-gdb")
    install = "your system's packages, on Debian and Ubuntu `apt install gdb-multiarch`"
    option = "port"
    options = ("port",)

    def plan(self, job: Job) -> Plan:
        """Load, compare every section, and let the image run."""
        if job.image.path.parent == job.work:
            raise InputError(
                f"gdb writes {job.image.elf} alone, and {job.profile.name} does not start without its boot stage; "
                "use another tool"
            )
        server = port(job, "gdb", r"[A-Za-z0-9][A-Za-z0-9.-]*:\d{1,5}", "localhost:3333")
        session = (
            "set confirm off",
            "set tcp auto-retry off",
            "set remotetimeout 10",
            f"target extended-remote {server}",
            "load",
            "compare-sections",
            "detach",
        )
        commands = tuple(word for line in session for word in ("-ex", line))
        words = (program(self), "-nx", "-batch", *commands, str(job.image.elf))
        return Plan(
            self.name,
            (Command(words, 180, _judge),),
            written(job.image, "memory"),
            "every section read back by GDB, and compared",
        )


def _judge(output: str) -> None:
    """GDB goes on after an error, so what it says of the sections decides."""
    compared = re.findall(r"^Section (\S+), range .*: (\S+?)\.?$", output, re.MULTILINE)
    different = [name for name, outcome in compared if outcome != "matched"]
    if different:
        raise OutputsDifferError(f"the board does not hold what was written: section {different[0]} differs")
    if not compared or "Transfer rate" not in output:
        raise InputError(f"gdb loaded nothing: {last_words(output)}")
