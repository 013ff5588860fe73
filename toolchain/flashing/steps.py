"""Steps of writing to a board: commands that are run as lists of words, never by a shell, and actions of our own.

A plan is made and shown before anything is done; every step ends in bounded time.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError, OutputsDifferError

Progress = Callable[[str], None]

MAX_OUTPUT_BYTES = 1024 * 1024
"""Of a program's output this much is kept, the end of it."""

_GRACE_S = 5.0


@dataclass(frozen=True)
class Command:
    """A program and its arguments; ``judge`` looks at what it printed and raises if that tells of a failure.

    With ``else_say`` a failure does no harm: the user is told that instead.
    """

    words: tuple[str, ...]
    limit_s: float
    judge: Callable[[str], None] | None = None
    else_say: str | None = None

    @property
    def text(self) -> str:
        """As one would type it."""
        return shlex.join(self.words)

    def run(self, progress: Progress) -> None:
        """Run it; raises ``InputError`` with the program's last words if it fails or does not end in time."""
        progress(f"running {self.text}")
        try:
            output = run(self.words, self.limit_s)
        except InputError:
            if self.else_say is None:
                raise
            progress(self.else_say)
            return
        if self.judge is not None:
            self.judge(output)


@dataclass(frozen=True)
class Action:
    """Something done here, without a program."""

    text: str
    act: Callable[[Progress], None]

    def run(self, progress: Progress) -> None:
        """Do it."""
        progress(self.text)
        self.act(progress)


Step = Command | Action


@dataclass(frozen=True)
class Written:
    """What lies on the board afterwards: an address or a path there, size and hash."""

    where: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """The steps of ``tool``, what is written by them, and how that is verified.

    ``undo`` are run if a step fails, whatever becomes of them; ``notes`` are for the user.
    """

    tool: str
    steps: tuple[Step, ...]
    written: tuple[Written, ...]
    verified: str
    undo: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    def run(self, progress: Progress) -> None:
        """Take every step; raises what a step raises, after ``undo``."""
        try:
            for step in self.steps:
                step.run(progress)
        except BaseException:
            for step in self.undo:
                try:
                    step.run(progress)
                except InputError as error:
                    progress(f"could not be undone: {error}")
            raise


def run(words: tuple[str, ...], limit_s: float) -> str:
    """What a program printed on stdout and stderr, which has nothing to read and is killed after ``limit_s``.

    Raises ``InputError`` if it fails or does not end in time.
    """
    name = Path(words[0]).name
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"{words[0]} cannot be run: {error.strerror}") from error
    try:
        output, _ = child.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{name} did not end within {limit_s:g} s and was stopped; see that the board is connected and powered"
        ) from None
    finally:
        end(child)
    said = output[-MAX_OUTPUT_BYTES:].decode(errors="replace")
    if child.returncode:
        raise InputError(f"{name} failed with exit code {child.returncode}: {last_words(said)}")
    return said


def last_words(output: str) -> str:
    """The end of what a program printed, short enough for a sentence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-400:] or "it printed nothing"


def expect(name: str, sign: str) -> Callable[[str], None]:
    """A judge for a program that does not tell by its exit code: without ``sign`` in its output it has failed."""

    def judge(output: str) -> None:
        if sign not in output:
            raise InputError(f"{name} did not say {sign!r}: {last_words(output)}")

    return judge


def compare(readback: Path, data: bytes, what: str) -> Action:
    """The step that holds the file that a tool read back from the board against ``data``."""

    def act(progress: Progress) -> None:
        # Some tools read whole words, pages or sectors.
        found = readback.read_bytes()[: len(data)] if readback.is_file() else b""
        readback.unlink(missing_ok=True)
        if found != data:
            raise OutputsDifferError(f"{what} does not hold what was written: {difference(found, data)}")

    return Action(f"compare {readback} with the {len(data)} bytes that were written", act)


def difference(found: bytes, data: bytes) -> str:
    """Where two images differ first, or by how much one is short."""
    if len(found) < len(data):
        return f"only {len(found)} of {len(data)} bytes came back"
    first = next(index for index, (a, b) in enumerate(zip(found, data, strict=False)) if a != b)
    digest = hashlib.sha256(found).hexdigest()
    return f"they differ from byte {first} on, and the sha256 there is {digest}; flash it again"


def end(child: subprocess.Popen[bytes]) -> None:
    """Stop ``child`` and what it started, if it still runs: politely first, since it may be writing."""
    if child.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, number)
                child.wait(_GRACE_S)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                time.sleep(0)
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            stream.close()
