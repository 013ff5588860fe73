"""picotool, over USB with the boot ROM of an RP2040 or RP2350 (github.com/raspberrypi/picotool)."""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan
from toolchain.flashing.tools.base import Tool, program, written
from toolchain.flashing.tools.uf2 import uf2_file, write_uf2


class Picotool(Tool):
    """Erases the sectors of 4 KiB that it writes. The board must be in BOOTSEL mode; picotool does not wait for it."""

    name = "picotool"
    programs = ("picotool",)
    install = "github.com/raspberrypi/picotool/releases, or your system's packages (Debian 13: `apt install picotool`)"

    def plan(self, job: Job) -> Plan:
        """Write a UF2 file, load it, verify it, start it."""
        load = (program(self), "load", "--verify", "--execute", str(uf2_file(job)), "-t", "uf2")
        return Plan(
            self.name,
            (write_uf2(job), Command(load, 120)),
            written(job.image),
            "read back over USB by picotool, and compared",
            notes=("hold BOOTSEL while you connect the board",),
        )
