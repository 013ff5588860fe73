"""dfu-util, over USB (dfu-util.sourceforge.net): with the ROM bootloader of an STM32, which speaks DfuSe (AN3156), or
with a bootloader of the board's own that speaks plain DFU (USB DFU 1.1), such as OpenMV's.
"""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, compare
from toolchain.flashing.tools.base import Tool, program, written

_DOWNLOAD_S, _UPLOAD_S = 180, 120


class DfuUtil(Tool):
    """Erases the pages that it writes. The board must be in its bootloader."""

    name = "dfu-util"
    programs = ("dfu-util",)
    install = "your system's packages, on Debian and Ubuntu `apt install dfu-util`"

    def plan(self, job: Job) -> Plan:
        """Download, upload the same bytes into a file, compare, and leave the bootloader."""
        return self._to_rom(job) if job.names.dfu_alt is None else self._to_alternate(job, job.names.dfu_alt)

    def _to_rom(self, job: Job) -> Plan:
        """To an address, which DfuSe asks for; dfu-util does not wait for this bootloader."""
        image = job.image
        start = (program(self), "--device", str(job.names.dfu_device), "--alt", "0", "--dfuse-address")
        address, size = f"0x{image.address:08x}", len(image.data)
        # Leaving is asked for with an upload, so that nothing is written again behind the comparison.
        left = job.work / "left.bin"
        return Plan(
            self.name,
            (
                Command((*start, address, "--download", str(image.path)), _DOWNLOAD_S),
                Command((*start, f"{address}:{size}", "--upload", str(job.readback)), _UPLOAD_S),
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

    def _to_alternate(self, job: Job, alt: int) -> Plan:
        """To an alternate setting, which lies where the firmware does; dfu-util waits for the board to be connected."""
        image = job.image
        # Behind the comma: as the bootloader calls itself, not as the running firmware does.
        start = (program(self), "--wait", "--device", f",{job.names.dfu_device}", "--alt", str(alt))
        return Plan(
            self.name,
            (
                Command((*start, "--download", str(image.path)), _DOWNLOAD_S),
                # All of the partition comes back; with it the board restarts.
                Command((*start, "--reset", "--upload", str(job.readback)), _UPLOAD_S),
                compare(job.readback, image.data, "the board"),
            ),
            written(image),
            "read back over USB, and compared byte for byte",
            notes=("connect the board by USB when dfu-util waits: its bootloader listens for a moment then",),
        )
