"""stm32loader, over a serial port with the ROM bootloader of an STM32 (AN3155)."""

from __future__ import annotations

from toolchain.flashing.job import Job
from toolchain.flashing.steps import Command, Plan, expect
from toolchain.flashing.tools.base import PIP_EXTRA, SERIAL_PORT, Tool, port, program, written


class Stm32loader(Tool):
    """Erases the whole flash: its pages are of one size, and those of most STM32 are not."""

    name = "stm32loader"
    programs = ("stm32loader",)
    install = PIP_EXTRA
    option = "port"
    options = ("port",)
    erases_everything = True

    def plan(self, job: Job) -> Plan:
        """Erase, write, read back and compare, start. It gives up when the bootloader does not answer."""
        image = job.image
        address = f"0x{image.address:08x}"
        words = (
            program(self),
            *("--port", port(job, self.name, SERIAL_PORT, "/dev/ttyUSB0")),
            *("--family", str(job.names.stm32loader_family)),
            *("--erase", "--write", "--verify", "--no-progress"),
            *("--address", address, "--go-address", address),
            str(image.path),
        )
        return Plan(
            self.name,
            (Command(words, 300, expect(self.name, "Verification OK")),),
            written(image),
            "read back over the serial port by stm32loader, and compared byte for byte",
            notes=("hold BOOT0 high while you reset the board, to enter the bootloader",),
        )
