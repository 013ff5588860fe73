"""OpenOCD, through a debug probe (openocd.org; commands as of 0.11 and later)."""

from __future__ import annotations

from toolchain.errors import InputError
from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, compare
from toolchain.flashing.tools.base import Tool, plain, program, written


class Openocd(Tool):
    """Erases only the sectors that it writes."""

    name = "openocd"
    programs = ("openocd",)
    install = "your system's packages, on Debian and Ubuntu `apt install openocd`"
    options = ("interface",)

    def plan(self, job: Job) -> Plan:
        """One session: write, verify on the chip, read back into a file, reset. Without a probe it ends at once."""
        image = job.image
        interface = job.options.interface or str(job.names.openocd_interface)
        if not interface.replace("-", "").replace("_", "").isalnum() or interface.startswith("-"):
            raise InputError(
                f"--interface {interface!r:.40} is no name of a debug probe; as in --interface stlink"
            )
        # These words are Tcl to OpenOCD; plain paths and numbers mean themselves there.
        path, address = plain(image.path), f"0x{image.address:08x}"
        session = (
            "init",
            "reset halt",
            f"flash write_image erase {path} {address} bin",
            f"verify_image {path} {address} bin",
            f"dump_image {plain(job.readback)} {address} {len(image.data)}",
            "reset run",
            "shutdown",
        )
        files = ("--file", f"interface/{interface}.cfg", "--file", str(job.names.openocd_target))
        commands = tuple(word for line in session for word in ("--command", line))
        return Plan(
            self.name,
            (
                Command((program(self), *files, *commands), 240),
                compare(job.readback, image.data, "the board"),
            ),
            written(image),
            "verified on the chip, then read back through the debug probe and compared byte for byte",
        )
