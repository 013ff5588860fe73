"""pyOCD, through a debug probe (pyocd.io; options as of 0.36 and later)."""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, compare
from toolchain.flashing.tools.base import PIP_EXTRA, Tool, plain, program, written


class Pyocd(Tool):
    """Erases only the sectors that it writes, and keeps what else lies in them."""

    name = "pyocd"
    programs = ("pyocd",)
    install = PIP_EXTRA

    def plan(self, job: Job) -> Plan:
        """Load, read back into a file, reset. Without a probe it ends at once (``--no-wait``)."""
        image, pyocd = job.image, program(self)
        # Everywhere the same: fail without a probe, and know the chip.
        target = ("--no-wait", "--target", str(job.names.pyocd_target))
        load = (
            "load",
            *target,
            "--base-address",
            f"0x{image.address:08x}",
            "--format",
            "bin",
            str(image.path),
        )
        save = f"savemem 0x{image.address:08x} {len(image.data)} {plain(job.readback)}"
        return Plan(
            self.name,
            (
                Command((pyocd, *load), 180),
                Command((pyocd, "commander", *target, "--command", save), 120),
                compare(job.readback, image.data, "the board"),
                Command((pyocd, "reset", *target), 30),
            ),
            written(image),
            "read back through the debug probe, and compared byte for byte",
        )
