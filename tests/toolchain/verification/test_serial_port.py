"""What the system says against a port, and a board at the other end of a real pseudo-terminal."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pty_board import PtyBoard
from tests.toolchain.verification.test_console_protocol import IDENTITY, frame
from toolchain.errors import InputError, ToolMissingError
from toolchain.verification.console_session import Limits
from toolchain.verification.serial_port import open_console

SHORT = Limits(start_s=0.3, answer_s=0.1, run_s=0.2)


@pytest.fixture(autouse=True)
def _pyserial(require_package: Callable[[str], None]) -> None:
    require_package("serial")


class Echo(PtyBoard):
    """Answers every request as if it were ``I``."""

    def serve(self) -> None:
        sequence = int(self.read(9)[5:9], 16)
        while self.read(1) != b"\n":
            pass
        self.write(frame(sequence, "I", *IDENTITY))


def test_a_board_answers_on_its_port() -> None:
    with Echo() as board, open_console(board.port, limits=SHORT) as console:
        assert console.identity.prefix == "net"
        assert console.where == board.port


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no serial port .*/ttyUSB7; connect the board, .*list_ports"):
        with open_console(str(tmp_path / "ttyUSB7")):
            pass


def test_a_port_that_another_program_has_open() -> None:
    with Echo() as board, open_console(board.port, limits=SHORT):
        with pytest.raises(InputError, match="is in use; close the terminal or monitor"):
            with open_console(board.port, limits=SHORT):
                pass


def test_what_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be opened as a serial port .*; give the board's own port"):
        with open_console(str(tmp_path / "file")):
            pass


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "may not use the serial port .*usermod -aG dialout"),
        (errno.EBUSY, "is in use"),
        (errno.EIO, "cannot be opened as a serial port"),
    ],
)
def test_what_the_system_refuses(monkeypatch: pytest.MonkeyPatch, number: int, sentence: str) -> None:
    """The tests may run as root, to whom nothing is denied."""
    serial = pytest.importorskip("serial")

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(InputError, match=sentence), open_console("/dev/ttyACM0"):
        pass


def test_a_speed_that_no_port_has() -> None:
    with Echo() as board, pytest.raises(InputError, match="cannot be set to .* baud"):
        with open_console(board.port, 2**40, SHORT):
            pass


def test_nobody_answers() -> None:
    class Deaf(Echo):
        def serve(self) -> None:
            self.read(1)

    with (
        Deaf() as board,
        pytest.raises(InputError, match=r"no answer on .* within 0.3 s .*--baud 115200"),
    ):
        with open_console(board.port, limits=SHORT):
            pass


def test_a_board_that_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its port then says so at every read."""
    serial = pytest.importorskip("serial")
    with Echo() as board, pytest.raises(InputError, match="connection to .* broke .*; check the cable"):
        with open_console(board.port, limits=SHORT) as console:
            gone = serial.SerialException("device reports readiness to read but returned no data")
            monkeypatch.setattr(serial.Serial, "read", lambda *_: (_ for _ in ()).throw(gone))
            console.self_test()


def test_without_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(
        ToolMissingError, match=r"pyserial; install it with `pip install 'spikenas-deploy\[flash\]'`"
    ):
        with open_console("/dev/ttyACM0"):
            pass
