"""dfu-util, over USB with the ROM bootloader of an STM32 (dfu-util.sourceforge.net; DfuSe, AN3156)."""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, compare
from toolchain.flashing.tools.base import Tool, program, written


class DfuUtil(Tool):
    """Erases the pages that it writes. The board must be in its bootloader; dfu-util does not wait for one."""

    name = "dfu-util"
    programs = ("dfu-util",)
    install = "your system's packages, on Debian and Ubuntu `apt install dfu-util`"

    def plan(self, job: Job) -> Plan:
        """Download, upload the same bytes into a file, compare, and leave the bootloader."""
        image = job.image
        start = (program(self), "--device", str(job.names.dfu_device), "--alt", "0", "--dfuse-address")
        address, size = f"0x{image.address:08x}", len(image.data)
        # Leaving is asked for with an upload, so that nothing is written again behind the comparison.
        left = job.work / "left.bin"
        return Plan(
            self.name,
            (
                Command((*start, address, "--download", str(image.path)), 180),
                Command((*start, f"{address}:{size}", "--upload", str(job.readback)), 120),
                compare(job.readback, image.data, "the board"),
                Command(
                    (*start, f"{address}:4:leave", "--upload", str(left)),
                    30,
                    else_say="reset the board to start it",
                ),
            ),
            written(image),
            "read back over USB, and compared byte for byte",
            notes=("hold BOOT0 (or the board's DFU button) while you reset it, to enter the bootloader",),
        )
