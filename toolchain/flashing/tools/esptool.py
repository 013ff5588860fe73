"""esptool, over a serial port with the ROM bootloader of an ESP32 (docs.espressif.com, esptool 5)."""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, expect
from toolchain.flashing.tools.base import SERIAL_PORT, Tool, port, program, written


class Esptool(Tool):
    """Erases the sectors that it writes."""

    name = "esptool"
    programs = ("esptool",)
    install = "pip install 'esptool>=5'"
    option = "port"
    options = ("port",)

    def plan(self, job: Job) -> Plan:
        """Write, then compare what the chip hashes of its flash."""
        start = (
            program(self),
            *("--chip", str(job.names.esptool_chip)),
            *("--port", port(job, self.name, SERIAL_PORT, "/dev/ttyACM0")),
        )
        what = (f"0x{job.image.address:x}", str(job.image.path))
        return Plan(
            self.name,
            (
                Command((*start, "write-flash", *what), 300, expect(self.name, "Hash of data verified")),
                Command((*start, "verify-flash", *what), 120),
            ),
            written(job.image),
            "the chip's own hash of its flash, compared by esptool",
        )
