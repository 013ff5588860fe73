"""A "board" on loopback: a real sshd, with programs that a test puts before the board's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sshd import Sshd
from toolchain.flashing.ssh import Host

PYTHON = sys.executable


@dataclass(frozen=True)
class Board:
    """``programs`` is first in its PATH, ``temporary`` is its folder for temporary files."""

    sshd: Sshd
    programs: Path
    temporary: Path

    @property
    def host(self) -> Host:
        return Host(self.sshd.address, configuration=self.sshd.configuration)

    @property
    def arguments(self) -> list[str]:
        return ["--host", self.sshd.address, "--ssh-config", str(self.sshd.configuration)]

    @property
    def left(self) -> list[str]:
        """What lies in its folder for temporary files that is ours."""
        return sorted(path.name for path in self.temporary.glob("spikenas-*"))

    def program(self, name: str, body: str) -> None:
        """Put a program of bash before the board's own."""
        file = self.programs / name
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)


@pytest.fixture
def board(
    tmp_path: Path, require_tool: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Board]:
    """A board whose python3 is the one that runs the tests, with its runtimes."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    programs, temporary = tmp_path / "programs", tmp_path / "temporary"
    programs.mkdir()
    temporary.mkdir()
    with Sshd(require_tool("sshd"), tmp_path / "sshd", f"{programs}:/usr/bin:/bin", temporary) as server:
        found = Board(server, programs, temporary)
        found.program("python3", f'exec "{PYTHON}" "$@"')
        yield found
