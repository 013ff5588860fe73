"""Verified runs, made once a session for each board and copied for each test; flight firmware of their sources."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support import flight
from tests.support.verified import verified_run
from toolchain.runs import RunFolder

RunOf = Callable[[str], RunFolder]
FlightOf = Callable[[str], tuple[Path, Path]]
Fake = Callable[..., Path]

PYTHON = sys.executable
"""Taken here, because a test may pretend that there is no other program beside it."""


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> RunOf:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    folder = tmp_path_factory.mktemp("verified")
    return cache(lambda board: verified_run(folder / board, board))


@pytest.fixture
def run_of(_made: RunOf, tmp_path: Path) -> RunOf:
    """``run_of(board)``: a verified run of its own."""

    def copy(board: str) -> RunFolder:
        return RunFolder(Path(shutil.copytree(_made(board).path, tmp_path / "runs" / board)))

    return copy


@pytest.fixture(scope="session")
def flight_of(_made: RunOf, tmp_path_factory: pytest.TempPathFactory) -> FlightOf:
    """``flight_of(board)``: .bin and .elf of a flight firmware with the network of that board's run."""
    folder = tmp_path_factory.mktemp("flight")

    @cache
    def built(board: str) -> tuple[Path, Path]:
        run = _made(board)
        return flight.build(run.artifacts / "c", run.profile(), folder / board)

    return built


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """``fake(name, body)``: a program on PATH, before all others, that appends its arguments to a file and runs
    ``body`` (Python, with ``words`` the arguments); returns the file.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def make(name: str, body: str = "") -> Path:
        record = tmp_path / f"{name}.calls"
        program = folder / name
        program.write_text(
            f"#!{PYTHON}\nimport json, sys\nwords = sys.argv[1:]\n"
            f"open({str(record)!r}, 'a').write(json.dumps(words) + chr(10))\n{body}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return record

    return make
