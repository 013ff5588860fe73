"""A UF2 file copied to the drive that a board in its USB bootloader is (github.com/microsoft/uf2)."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import read_bytes
from toolchain.flashing import uf2
from toolchain.flashing.job import Job
from toolchain.flashing.steps import Action, Plan, Progress
from toolchain.flashing.tools.base import Tool, written

INFO = "INFO_UF2.TXT"
"""The file by which a UF2 drive is known; its line ``Board-ID:`` names the board."""

MAX_INFO_BYTES = 4096
LEAVES_S = 10.0
"""Longest time after the last block until the board restarts and its drive is gone."""


class Uf2(Tool):
    """The bootloader erases what it writes, page by page or sector by sector."""

    name = "uf2"
    option = "drive"
    options = ("drive",)

    def plan(self, job: Job) -> Plan:
        """Convert and copy; the board restarts by itself when it has taken every block."""
        drive = job.options.drive
        if drive is None:
            raise InputError("uf2 needs --drive, the folder where the board's drive is mounted")
        _require_board(drive, str(job.names.uf2_board))

        def act(progress: Progress) -> None:
            _copy(uf2_content(job), drive / "firmware.uf2")
            _wait_until_gone(drive / INFO)

        return Plan(
            self.name,
            (Action(f"copy {len(uf2_content(job))} bytes of UF2 to {drive / 'firmware.uf2'}", act),),
            written(job.image),
            "not read back (a UF2 drive cannot be); the board restarted, as its bootloader does at the end",
        )


def uf2_content(job: Job) -> bytes:
    """The image as a UF2 file for the board's family."""
    return uf2.blocks(job.image.data, job.image.address, int(job.names.uf2_family or 0))


def uf2_file(job: Job) -> Path:
    """Where ``write_uf2`` puts it."""
    return job.work / "firmware.uf2"


def write_uf2(job: Job) -> Action:
    """The step that writes the UF2 file for a program that reads one."""

    def act(progress: Progress) -> None:
        uf2_file(job).write_bytes(uf2_content(job))

    return Action(f"write {uf2_file(job)}", act)


def _require_board(drive: Path, board: str) -> None:
    if not os.path.isfile(drive / INFO):
        raise InputError(
            f"{drive} is no UF2 drive (it has no {INFO}); connect the board in its bootloader, and mount the drive"
        )
    text = read_bytes(drive / INFO, MAX_INFO_BYTES).decode("ascii", "replace")
    found = re.search(r"^Board-ID:[ \t]*([^\r\n]*)", text, re.MULTILINE)
    if found is None or not (found[1].strip() == board or found[1].strip().startswith(f"{board}-")):
        name = found[1].strip()[:60] if found else "nothing"
        raise InputError(f"the board at {drive} calls itself {name!r}, not {board!r}; nothing was written")


def _copy(content: bytes, path: Path) -> None:
    try:
        with path.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        # The drive may be gone before the system has closed the file: whether it took all, the board tells next.
        if path.parent.is_dir():
            raise InputError(f"cannot write {path}: {error.strerror or error}; flash it again") from error


def _wait_until_gone(info: Path) -> None:
    deadline = time.monotonic() + LEAVES_S
    while os.path.isfile(info):
        if time.monotonic() > deadline:
            raise InputError(
                f"the board did not restart within {LEAVES_S:g} s of the last block, so it did not take the image; "
                "connect it again in its bootloader and flash it again"
            )
        time.sleep(0.05)
