"""A serial port, opened for nobody else; what the system says against it becomes a sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from toolchain.errors import InputError, ToolMissingError
from toolchain.verification.console_session import POLL_S, Console, Limits, Port

BAUD = 115_200
"""Bits a second of most boards' consoles; a USB port takes any."""

_WRITE_S = 5.0
_BUSY = (errno.EBUSY, errno.EAGAIN)


@contextmanager
def open_console(device: str, baud: int = BAUD, limits: Limits | None = None) -> Iterator[Console]:
    """The console of the board on the serial port ``device``; the port is closed afterwards.

    Raises ``InputError`` if the port cannot be opened or breaks, or no console answers; ``ToolMissingError`` without
    pyserial.
    """
    port = _open(device, baud)
    try:
        yield Console(port, device, limits)
    except OSError as error:
        raise InputError(
            f"the connection to {device} broke ({error}); check the cable and the board's power, and verify again"
        ) from error
    finally:
        port.close()


class ClosablePort(Port):
    """A port that can be closed."""

    def close(self) -> None:
        """Close it."""


def _open(device: str, baud: int) -> ClosablePort:
    try:
        import serial
    except ImportError:
        raise ToolMissingError(
            "serial ports need the Python package pyserial; install it with `pip install 'spikenas-deploy[flash]'`"
        ) from None
    try:
        port: ClosablePort = serial.Serial(
            device, baud, timeout=POLL_S, write_timeout=_WRITE_S, exclusive=True
        )
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(_sentence(device, baud, error)) from error
    return port


def _sentence(device: str, baud: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        return (
            f"there is no serial port {device}; connect the board, and see `python -m serial.tools.list_ports` for the "
            "ports that there are"
        )
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"you may not use the serial port {device}; on Debian and Ubuntu: `sudo usermod -aG dialout $USER`, then "
            "log out and in again"
        )
    if number in _BUSY:
        return f"the serial port {device} is in use; close the terminal or monitor that has it open"
    if isinstance(error, (ValueError, OverflowError)):
        return f"the serial port {device} cannot be set to {baud} baud ({error}); give the firmware's with --baud"
    return f"{device} cannot be opened as a serial port ({error}); give the board's own port"
