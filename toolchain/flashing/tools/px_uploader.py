"""The serial bootloader of PX4 and ArduPilot boards, spoken by ourselves (``flashing.px4_bootloader``)."""

from __future__ import annotations

from toolchain.errors import InputError
from toolchain.flashing.job import Job
from toolchain.flashing.px4_bootloader import Bootloader, open_bootloader, padded
from toolchain.flashing.steps import Action, Plan, Progress
from toolchain.flashing.tools.base import SERIAL_PORT, Tool, port, written


class PxUploader(Tool):
    """Erases the whole flash behind the bootloader, as the protocol has it."""

    name = "px_uploader"
    option = "port"
    options = ("port",)

    def plan(self, job: Job) -> Plan:
        """Wait for the bootloader, ask which board it is, erase, write, compare the CRC of the whole flash, restart."""
        device, image = port(job, self.name, SERIAL_PORT, "/dev/ttyACM0"), job.image
        board = job.names.bootloader_board

        def act(progress: Progress) -> None:
            with open_bootloader(device, progress) as bootloader:
                _require_board(bootloader, job)
                progress(f"erasing the flash behind the bootloader of {bootloader.description}")
                bootloader.erase()
                bootloader.program(image.data, progress)
                bootloader.verify(image.data)
                bootloader.reboot()

        text = (
            f"with the bootloader of board {board} on {device}: erase, write {len(padded(image.data))} bytes at "
            f"0x{image.address:08x}, compare the CRC, restart"
        )
        return Plan(
            self.name,
            (Action(text, act),),
            written(image),
            "the bootloader's CRC32 of its whole flash, compared with that of the image",
            notes=("the board must start its bootloader: connect it anew when this waits for it",),
        )


def _require_board(bootloader: Bootloader, job: Job) -> None:
    """Nothing is erased unless the board is the profile's and has room; raises ``InputError``."""
    wanted, image = job.names.bootloader_board, job.image
    if bootloader.board != wanted:
        raise InputError(
            f"the board that answers has number {bootloader.board}, and {job.profile.name} has {wanted}; "
            "nothing was erased"
        )
    if len(padded(image.data)) > bootloader.flash_bytes:
        raise InputError(
            f"{image.path} has {len(image.data)} bytes, and the board takes {bootloader.flash_bytes}; nothing is erased"
        )
