"""Bitcraze's cfloader, by radio or USB with the bootloader of a Crazyflie (bitcraze.io, "cfloader")."""

from __future__ import annotations

import re

from toolchain.errors import InputError
from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, last_words
from toolchain.flashing.tools.base import Tool, port, program, written

_FAILED = re.compile(r"Failed to flash|Traceback")
_FLASHED = "to stm32 (fw)"


class Cfloader(Tool):
    """Writes pages from the application's start on, and nothing before it."""

    name = "cfloader"
    programs = ("cfloader",)
    install = "pip install cfclient (a package called cfloader is something else)"
    options = ("port",)

    def plan(self, job: Job) -> Plan:
        """``flash FILE stm32-fw``; with --port the running firmware is asked to enter its bootloader."""
        warm = (
            ()
            if job.options.port is None
            else ("-w", port(job, self.name, _URI, "radio://0/80/2M/E7E7E7E7E7"))
        )
        words = (program(self), *warm, "flash", str(job.image.path), "stm32-fw")
        return Plan(
            self.name,
            (Command(words, 300, _judge),),
            written(job.image),
            "not read back (cfloader does not); the bootloader confirmed each write",
            notes=("without --port, start the Crazyflie in its bootloader: hold its button for 3 seconds",),
        )


_URI = r"(radio|usb)://[0-9A-Za-z/]+"


def _judge(output: str) -> None:
    """cfloader ends with exit code 0 whatever happens; it says "Flashing 1 of 1 to stm32 (fw)" when it begins."""
    if _FAILED.search(output) or _FLASHED not in output:
        raise InputError(f"cfloader failed: {last_words(output)}")
