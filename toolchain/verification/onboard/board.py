"""Reaching a board, and what of a run's artifacts it can run, before anything else is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exporters.onnx.tensorrt import Engine, engines
from toolchain.errors import InputError, ToolMissingError
from toolchain.flashing.ssh import Host
from toolchain.profiles.own_file import require_own
from toolchain.profiles.schema import Profile
from toolchain.verification.onboard.connection import Connection, connected
from toolchain.verification.onboard.python_runtime import LIBRARIES, BoardPython, board_python
from toolchain.verification.onboard.state import State, read_state
from toolchain.verification.onboard.trtexec import Trtexec, find_trtexec

PYTHON = "python3"
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*|(/[A-Za-z0-9_.][A-Za-z0-9_.+-]*)+")


@dataclass(frozen=True)
class Request:
    """The board to run on, its Python, and the user's own profile that gets what was measured, if any.

    Raises ``InputError`` for what a shell could take for something else.
    """

    host: Host
    python: str = PYTHON
    calibrate: Path | None = None

    def __post_init__(self) -> None:
        if not _PROGRAM.fullmatch(self.python):
            raise InputError(
                f"--board-python {self.python!r:.80} is neither a program's name nor a whole path from / on; use"
                " letters, digits, '.', '_', '+', '-' and '/'"
            )


@dataclass(frozen=True)
class OpenBoard:
    """A board that was reached and can run something of the run."""

    request: Request
    connection: Connection
    before: State
    python: BoardPython | None
    trtexec: Trtexec | None
    lacking: tuple[ToolMissingError, ...]

    @property
    def name(self) -> str:
        """Its model, or where the system has none, what ssh calls it."""
        return self.before.model or self.request.host.address.rpartition("@")[2]

    @property
    def where(self) -> str:
        """How figures of it are labelled."""
        return f"on {self.name}"


@contextmanager
def opened(
    request: Request, profile: Profile, artifacts: Path, progress: Callable[[str], None]
) -> Iterator[OpenBoard]:
    """Reach the board and see what it can run of ``artifacts``, before anything else is done.

    Raises ``InputError`` if it is not reached, is no board that takes files, or --calibrate names no profile for it;
    ``ToolMissingError`` if it can run nothing, with how to install what is missing.
    """
    if profile.role != "linux":
        raise InputError(f"--host reaches Linux boards over ssh, and {profile.name} is a microcontroller")
    if request.calibrate is not None:
        require_own(request.calibrate, profile)
    files = [name for name in LIBRARIES if (artifacts / name).is_file()]
    wanted = engines_of(profile, artifacts)
    if not files and not wanted:
        raise InputError(
            f"{artifacts} holds nothing that a Linux board runs; run `spikenas-deploy export` first"
        )
    progress(f"reaching {request.host.address}")
    with connected(request.host, progress) as connection:
        before = read_state(connection)
        lacking: list[ToolMissingError] = []
        python = trtexec = None
        try:
            python = board_python(connection, request.python) if files else None
        except ToolMissingError as error:
            lacking.append(error)
        if python is not None:
            package = profile.runtime.tflite_package if profile.runtime else None
            lacking += [
                python.advice(name, package) for name in files if python.library(name, package) is None
            ]
        try:
            trtexec = find_trtexec(connection) if wanted else None
        except ToolMissingError as error:
            lacking.append(error)
        runs = python is not None and any(python.library(name, None) for name in files)
        if not runs and trtexec is None:
            raise lacking[0]
        yield OpenBoard(request, connection, before, python, trtexec, tuple(lacking))


def engines_of(profile: Profile, artifacts: Path) -> list[Engine]:
    """The engines that the board of ``profile`` builds of the files that are there."""
    if profile.runtime is None or profile.runtime.tensorrt is None:
        return []
    return [engine for engine in engines(profile) if (artifacts / engine.file).is_file()]
