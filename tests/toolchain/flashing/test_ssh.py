"""Linux boards over ssh: against a real sshd on loopback, and what is refused before anything is run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sshd import Sshd
from tests.toolchain.flashing.conftest import Fake, RunOf
from toolchain.cli.main import main
from toolchain.errors import InputError, OutputsDifferError
from toolchain.flashing.ssh import Host
from toolchain.runs import RunFolder

Tools = Callable[[str], str]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder before all others in the board's PATH: programs in it replace the board's own."""
    folder = tmp_path / "broken"
    folder.mkdir()
    return folder


@pytest.fixture
def board(tmp_path: Path, broken: Path, require_tool: Tools) -> Iterator[Sshd]:
    os.environ["PATH"] += ":/usr/sbin"
    with Sshd(require_tool("sshd"), tmp_path / "sshd", f"{broken}:/usr/bin:/bin") as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder on the "board"."""
    return tmp_path / "opt" / "net"


def replace(broken: Path, name: str, body: str) -> None:
    program = broken / name
    program.write_text(f"#!{sys.executable}\nimport os, sys\n{body}\n")
    program.chmod(0o755)


def flash(run: RunFolder, board: Sshd, place: Path, *more: str) -> int:
    host = ["--host", board.address, "--path", str(place), "--ssh-config", str(board.configuration)]
    return main(["flash", str(run.path), *host, "--json", *more])


def versions(place: Path) -> list[str]:
    return sorted(path.name for path in (place / "versions").iterdir()) if place.exists() else []


def test_a_new_version_is_current_and_whole(
    run_of: RunOf, board: Sshd, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("raspberry_pi_4b")
    assert flash(run, board, place) == 0
    files = {path.name: path.read_bytes() for path in (place / "current").iterdir()}
    wanted = {path.name: path.read_bytes() for path in [*run.artifacts.iterdir(), run.report]}
    assert files == wanted and {"model.tflite", "model.onnx", "report.json"} <= files.keys()
    document = json.loads(capsys.readouterr().out)
    told = {Path(each["where"].split(":", 1)[1]).name: each["sha256"] for each in document["written"]}
    assert told == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert "sha256sum on the board" in document["verified"] and document["tool"] == "ssh"
    assert os.readlink(place / "current") == f"versions/{versions(place)[0]}"
    assert sorted(path.name for path in place.iterdir()) == ["current", "versions"]


def first(run: RunFolder, place: Path) -> str:
    """A version that must survive whatever goes wrong; returns where ``current`` points."""
    (place / "versions" / "before").mkdir(parents=True)
    shutil.copy(run.artifacts / "model.tflite", place / "versions" / "before")
    (place / "current").symlink_to("versions/before")
    return os.readlink(place / "current")


def test_the_version_before_stays_beside_the_new_one(run_of: RunOf, board: Sshd, place: Path) -> None:
    run = run_of("raspberry_pi_4b")
    first(run, place)
    assert flash(run, board, place) == 0
    assert len(versions(place)) == 2 and os.readlink(place / "current") != "versions/before"


FAULTS = {
    # What arrives is not what was sent.
    "sha256sum": "import hashlib\nfor n in sys.argv[2:]: print('0' * 64 + '  ' + n)",
    # The disk fills up, or the power goes, before the switch.
    "sync": "sys.exit(1)",
    "ln": "sys.exit(1)",
    "mv": "sys.exit(1)",
    # The switch happened, and then the board says something else.
    "readlink": "os.execv('/usr/bin/readlink', sys.argv) if '-q' in sys.argv else sys.exit(1)",
}


@pytest.mark.parametrize(
    ("program", "had_one"), [*((program, True) for program in FAULTS), ("sync", False), ("readlink", False)]
)
def test_a_fault_is_rolled_back(
    run_of: RunOf, board: Sshd, broken: Path, place: Path, program: str, had_one: bool
) -> None:
    run = run_of("raspberry_pi_4b")
    before = first(run, place) if had_one else None
    replace(broken, program, FAULTS[program])
    if program in ("ln", "mv"):
        # Only the first call fails, so that the link can be put back.
        flag = broken / "failed"
        again = f"if os.path.exists({str(flag)!r}): os.execv('/bin/{program}', sys.argv)"
        body = f"{again}\nopen({str(flag)!r}, 'w')\nsys.exit(1)"
        replace(broken, program, body)
    assert flash(run, board, place) == (OutputsDifferError.exit_code if program == "sha256sum" else 3)
    assert versions(place) == (["before"] if had_one else [])
    assert os.path.lexists(place / "current") == had_one and not os.path.lexists(place / ".next")
    if had_one:
        assert os.readlink(place / "current") == before
        assert (place / "current" / "model.tflite").read_bytes() == (
            run.artifacts / "model.tflite"
        ).read_bytes()


def test_a_copy_that_fails_is_rolled_back(run_of: RunOf, board: Sshd, place: Path, fake: Fake) -> None:
    run = run_of("raspberry_pi_4b")
    before = first(run, place)
    # Half of the files arrive, and then the connection is gone.
    half = (
        "import subprocess\nsubprocess.run(['/usr/bin/scp', *words[:-3], words[-1]], check=True)\nsys.exit(1)"
    )
    fake("scp", half)
    assert flash(run, board, place) == 3
    assert versions(place) == ["before"] and os.readlink(place / "current") == before


def test_a_folder_in_the_place_of_the_link_is_left_alone(run_of: RunOf, board: Sshd, place: Path) -> None:
    run = run_of("raspberry_pi_4b")
    (place / "current").mkdir(parents=True)
    (place / "current" / "mine").write_text("mine")
    assert flash(run, board, place) == 3
    assert (place / "current" / "mine").read_text() == "mine" and versions(place) == []


def test_a_board_with_another_host_key_is_refused(
    run_of: RunOf, board: Sshd, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board.forget_the_host_key()
    assert flash(run_of("raspberry_pi_4b"), board, place) == 3
    assert not place.exists() and "Host key verification failed" in capsys.readouterr().err


def test_a_dry_run_does_not_reach_the_board(
    run_of: RunOf, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = [fake("ssh"), fake("scp")]
    assert main(["flash", str(run_of("raspberry_pi_4b").path), "--host", "pi@board", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "BatchMode=yes" in out and "mv -f -T" in out and not any(each.exists() for each in calls)


ADDRESSES = (
    "-oProxyCommand=x",
    "pi@-board",
    "pi@board;reboot",
    "pi@bo ard",
    "",
    "a@b@c",
    "pi@$(x)",
    "pi@b\nc",
    "@b",
)
FOLDERS = ("-rf", "../up", "a/../b", "a b", "a;b", "$HOME", "~/x", "", "/", "a//b", ".hidden", "a\n")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_ssh_could_misread_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="is no user@board"):
        Host(address)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_a_shell_could_misread_is_refused(folder: str) -> None:
    with pytest.raises(InputError, match="is no plain folder"):
        Host("pi@board", folder)


def test_a_linux_board_needs_a_host_and_nothing_else(run_of: RunOf) -> None:
    run = run_of("raspberry_pi_4b")
    for arguments in ((), ("--host", "pi@board", "--tool", "pyocd"), ("--path", "x"), ("--host", "-x")):
        assert main(["flash", str(run.path), *arguments]) == 3
    assert main(["flash", str(run_of("stm32f405").path), "--host", "pi@board"]) == 3
