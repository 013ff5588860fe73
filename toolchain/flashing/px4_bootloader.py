"""A client of the serial bootloader that PX4 and ArduPilot boards start with.

The protocol is documented by its users (PX4 and ArduPilot, px_uploader.py and bl_protocol.cpp): a request is a command
byte, its arguments and the byte 0x20; the answer is data, if any, and the bytes 0x12 0x10. Numbers are little-endian.
Revision 3 brought the CRC of the flash, without which nothing can be verified. Every wait has a deadline.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from toolchain.errors import InputError, OutputsDifferError, ToolMissingError
from toolchain.flashing.steps import Progress
from toolchain.flashing.tools.base import PIP_EXTRA

END = b"\x20"
IN_SYNC, OK = 0x12, 0x10
GET_SYNC, GET_DEVICE, CHIP_ERASE, PROG_MULTI, GET_CRC, REBOOT = (
    b"\x21",
    b"\x22",
    b"\x23",
    b"\x27",
    b"\x29",
    b"\x30",
)
REVISION, BOARD, BOARD_REVISION, FLASH_SIZE = b"\x01", b"\x02", b"\x03", b"\x04"
REVISIONS = range(3, 6)
CHUNK_BYTES = 252
"""Most bytes of one write: fewer than 256, and whole words."""

WAIT_S = 60.0
"""Longest wait for a board to be connected; its bootloader then listens for some five seconds."""

ANSWER_S, ERASE_S, CRC_S = 2.0, 40.0, 10.0
_BAUD = 115_200
_REFUSALS = {0x11: "that failed", 0x13: "it does not know that", 0x14: "its chip is too old for that"}


class Port(Protocol):
    """What is used of a serial port: a pyserial ``Serial``."""

    timeout: float | None

    def read(self, size: int) -> bytes:
        """As many bytes as come within ``timeout``."""
        ...

    def write(self, data: bytes) -> int | None:
        """Send."""
        ...

    def reset_input_buffer(self) -> None:
        """Forget what has come and was not read."""
        ...


class Unanswered(InputError):
    """No bootloader answered, or something else did."""


class Bootloader:
    """A board whose bootloader answers on ``port``. Raises ``InputError`` if it does not, or is too old or too new."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._port.reset_input_buffer()
        self._ask("synchronize", GET_SYNC)
        self.revision = self._device(REVISION)
        if self.revision not in REVISIONS:
            raise InputError(
                f"the board's bootloader speaks revision {self.revision} of its protocol, and {REVISIONS.start} to "
                f"{REVISIONS.stop - 1} are known here; bring the bootloader up to date"
            )
        self.board = self._device(BOARD)
        self.board_revision = self._device(BOARD_REVISION)
        self.flash_bytes = self._device(FLASH_SIZE)

    @property
    def description(self) -> str:
        """The board, for messages."""
        return f"board {self.board} (revision {self.board_revision}, {self.flash_bytes} bytes of flash)"

    def erase(self) -> None:
        """Erase all flash but the bootloader's."""
        self._ask("erase", CHIP_ERASE, limit_s=ERASE_S)

    def program(self, data: bytes, progress: Progress) -> None:
        """Write ``data`` from the application's start on."""
        image, told = padded(data), time.monotonic()
        for start in range(0, len(image), CHUNK_BYTES):
            chunk = image[start : start + CHUNK_BYTES]
            self._ask("write", PROG_MULTI, bytes([len(chunk)]) + chunk)
            if time.monotonic() - told > 5:
                told = time.monotonic()
                progress(f"wrote {start} of {len(image)} bytes")

    def verify(self, data: bytes) -> None:
        """Compare the CRC of the whole flash; raises ``OutputsDifferError`` if it is not that of ``data``."""
        answer = self._ask("compute its CRC", GET_CRC, answer_bytes=4, limit_s=CRC_S)
        expected = crc(data, self.flash_bytes)
        if int.from_bytes(answer, "little") != expected:
            raise OutputsDifferError(
                f"the board does not hold what was written: CRC 0x{int.from_bytes(answer, 'little'):08x}, not "
                f"0x{expected:08x}; its bootloader is intact, flash it again"
            )

    def reboot(self) -> None:
        """Start the application. Without an answer: the board is gone before it could give one."""
        self._port.write(REBOOT + END)

    def _device(self, what: bytes) -> int:
        return int.from_bytes(self._ask("tell what it is", GET_DEVICE, what, answer_bytes=4), "little")

    def _ask(
        self,
        what: str,
        command: bytes,
        arguments: bytes = b"",
        answer_bytes: int = 0,
        limit_s: float | None = None,
    ) -> bytes:
        self._port.write(command + arguments + END)
        self._port.timeout = limit_s or ANSWER_S
        answer = self._port.read(answer_bytes + 2)
        if len(answer) == answer_bytes + 2 and answer[-2:] == bytes([IN_SYNC, OK]):
            return answer[:answer_bytes]
        # What a bootloader makes of bytes that were under way when it started is no refusal.
        refused = len(answer) >= 2 and answer[-2] == IN_SYNC and answer[-1] in _REFUSALS
        if refused and command != GET_SYNC:
            raise InputError(f"the bootloader was asked to {what}, and {_REFUSALS[answer[-1]]}; {_AGAIN}")
        raise Unanswered(f"the bootloader was asked to {what}, and did not answer; {_AGAIN}")


_AGAIN = "connect the board anew and flash it again, its bootloader is intact"


def padded(data: bytes) -> bytes:
    """``data`` filled up to whole words with erased flash."""
    return data + b"\xff" * (-len(data) % 4)


def crc(data: bytes, flash_bytes: int) -> int:
    """What the bootloader computes: CRC32 without the usual complements, over all flash, erased bytes included."""
    image = padded(data)
    return zlib.crc32(image + b"\xff" * (flash_bytes - len(image)), 0xFFFFFFFF) ^ 0xFFFFFFFF


@contextmanager
def open_bootloader(device: str, progress: Progress, limit_s: float = WAIT_S) -> Iterator[Bootloader]:
    """Wait until the bootloader answers on the serial port ``device``, and close the port afterwards.

    Raises ``InputError`` if it does not within ``limit_s``, or the connection breaks; ``ToolMissingError`` without
    pyserial.
    """
    try:
        import serial
    except ImportError:
        raise ToolMissingError(
            f"serial ports need the Python package pyserial; get it with {PIP_EXTRA}"
        ) from None
    deadline, told = time.monotonic() + limit_s, False
    while True:
        try:
            # A board that is reset takes its port away, and brings it back.
            port = serial.Serial(device, _BAUD, timeout=ANSWER_S, write_timeout=ANSWER_S)
        except (OSError, ValueError) as error:
            reason: Exception = error
        else:
            try:
                found = Bootloader(port)
                break
            except (Unanswered, OSError) as error:
                port.close()
                reason = error
            except BaseException:
                port.close()
                raise
        if time.monotonic() > deadline:
            raise InputError(
                f"no bootloader answered on {device} within {limit_s:g} s ({reason}); connect it while this waits"
            )
        if not told:
            progress(f"waiting for the bootloader on {device}: connect the board now, or reset it")
            told = True
        time.sleep(0.1)
    try:
        yield found
    except OSError as error:
        raise InputError(f"the connection to {device} broke ({error}); {_AGAIN}") from error
    finally:
        port.close()
