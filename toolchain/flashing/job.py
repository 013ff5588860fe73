"""What is to be written, and what the user said of the board."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from toolchain.profiles.schema import Flashing, Profile


@dataclass(frozen=True)
class Image:
    """Bytes for the board's flash from ``address`` on; ``path`` is the file of them that programs read.

    ``elf`` is the linked image that they come from. ``board`` is the number of the board that a flight firmware was
    built for, where its file says so.
    """

    path: Path
    address: int
    data: bytes
    elf: Path
    board: int | None = None

    @property
    def end(self) -> int:
        """First address behind the image."""
        return self.address + len(self.data)

    @property
    def sha256(self) -> str:
        """Hex digest of ``data``."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Options:
    """How to reach the board: a serial port, a radio address or a GDB server; a mounted drive; a debug probe."""

    port: str | None = None
    drive: Path | None = None
    interface: str | None = None

    @property
    def given(self) -> set[str]:
        """Names of those that were given."""
        return {name for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Job:
    """An image that may be written to a board, and where intermediate files go (``work``, not made yet)."""

    profile: Profile
    image: Image
    options: Options
    work: Path

    @property
    def names(self) -> Flashing:
        """What tools call the board."""
        return self.profile.flashing or Flashing(source="none")

    @property
    def readback(self) -> Path:
        """Where a tool puts what it read back."""
        return self.work / "readback.bin"
