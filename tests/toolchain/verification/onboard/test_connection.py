"""The temporary folder on a board, which goes whatever happens, and boards that are not reached."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toolchain.verification.onboard.conftest import Board
from toolchain.errors import InputError, OutputsDifferError
from toolchain.verification.onboard import connection
from toolchain.verification.onboard.connection import connected


def quiet(message: str) -> None:
    raise AssertionError(message)


def gone(board: Board) -> bool:
    """Whether the folder goes within a few seconds."""
    deadline = time.monotonic() + 10
    while board.left and time.monotonic() < deadline:
        time.sleep(0.05)
    return not board.left


def test_what_is_sent_is_there_and_goes(board: Board, tmp_path: Path) -> None:
    file = tmp_path / "a file.bin"
    file.write_bytes(os.urandom(1000))
    with connected(board.host, quiet) as found:
        assert board.left == [Path(found.folder).name]
        assert (board.temporary / board.left[0]).stat().st_mode & 0o077 == 0
        found.send([file])
        said = found.run(["cat", "--", file.name])
        assert (said.code, said.output) == (0, file.read_bytes())
        assert found.run(["sh", "-c", "echo no >&2; exit 3"]).code == 3
    assert board.left == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_folder_goes_after_a_failure_and_an_interruption(
    board: Board, error: type[BaseException]
) -> None:
    with pytest.raises(error), connected(board.host, quiet) as found:
        found.run(["mkdir", "-p", "deep/er"])
        raise error
    assert board.left == []


def test_the_folder_goes_when_we_are_killed(board: Board) -> None:
    program = (
        "import sys; from pathlib import Path; from toolchain.flashing.ssh import Host\n"
        "from toolchain.verification.onboard.connection import connected\n"
        "with connected(Host(sys.argv[1], configuration=Path(sys.argv[2])), print) as found:\n"
        "    print(found.folder, flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", program, board.sshd.address, str(board.sshd.configuration)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert Path(child.stdout.readline().strip()).is_dir()
        child.send_signal(signal.SIGKILL)
    assert gone(board)


def test_the_folder_goes_when_the_connection_breaks(board: Board) -> None:
    told: list[str] = []
    with pytest.raises(InputError, match="is not reached: "), connected(board.host, told.append) as found:
        # The board's own end of the connection dies.
        found.run(["sh", "-c", KILL_SSHD])
    assert gone(board)
    assert told == [] or "could not be seen to be removed" in told[0]


KILL_SSHD = """
each=$$
while [ "$each" -gt 1 ]; do
  each=$(awk '/^PPid/ { print $2 }' /proc/$each/status)
  case $(cat /proc/$each/comm) in sshd*) kill -9 "$each"; sleep 5 ;; esac
done
"""


def test_another_arrival_is_told(board: Board, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"x")
    board.program("sha256sum", 'shift; printf "%064d  %s\\n" 0 "$@"')
    with connected(board.host, quiet) as found, pytest.raises(OutputsDifferError, match="another sha256"):
        found.send([file])
    assert board.left == []


def test_a_copy_that_fails_is_told(board: Board, tmp_path: Path) -> None:
    with connected(board.host, quiet) as found, pytest.raises(InputError, match="cannot be copied to"):
        found.send([tmp_path / "not there"])


def test_another_host_key_and_no_board(board: Board) -> None:
    board.sshd.forget_the_host_key()
    with pytest.raises(InputError, match=r"is not reached: .*Host key verification failed.*see that `ssh "):
        with connected(board.host, quiet):
            raise AssertionError
    board.sshd.configuration.write_text("Host board\n  HostName 127.0.0.1\n  Port 1\n")
    with pytest.raises(InputError, match="is not reached: .*Connection refused"):
        with connected(board.host, quiet):
            raise AssertionError
    assert board.left == []


def test_a_board_that_says_nothing(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OPEN_S", 0.5)
    board.program("mktemp", "sleep 30")
    with pytest.raises(InputError, match="did not answer within 0.5 s"), connected(board.host, quiet):
        raise AssertionError


@pytest.mark.parametrize(
    "folder", ["/tmp/spikenas-..", "/", "/tmp/spikenas-1234567890; reboot", "/tmp/../x y/spikenas-1234567890"]
)
def test_a_folder_that_we_did_not_ask_for(board: Board, folder: str) -> None:
    board.program("mktemp", f"echo {folder!r}")
    board.program("rm", "true")
    with pytest.raises(InputError, match="makes no temporary folder"), connected(board.host, quiet):
        raise AssertionError


def test_only_that_folder_goes(board: Board) -> None:
    # Were the name not quoted, what comes before the space would go.
    beside, made = board.temporary / "a", board.temporary / "a b"
    beside.mkdir()
    made.mkdir()
    board.program("mktemp", f'echo "{made}"')
    with pytest.raises(InputError, match="makes no temporary folder"), connected(board.host, quiet):
        raise AssertionError
    deadline = time.monotonic() + 5
    while made.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert beside.exists() and not made.exists()


def test_a_board_without_room(board: Board) -> None:
    board.program("mktemp", "echo mktemp: no space left >&2; exit 1")
    with pytest.raises(InputError, match="makes no temporary folder: mktemp: no space left"):
        with connected(board.host, quiet):
            raise AssertionError


def test_what_does_not_end_or_never_stops_is_ended(board: Board) -> None:
    with connected(board.host, quiet) as found:
        with pytest.raises(InputError, match="did not end within 1 s"):
            found.run(["sleep", "30"], limit_s=1)
        with pytest.raises(InputError, match="sent more than the 65,536 bytes"):
            found.run(["yes"])
    assert board.left == []
