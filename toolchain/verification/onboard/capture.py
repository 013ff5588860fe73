"""What a program says, within limits of time and size: the other end of an ssh connection may send for ever."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError
from toolchain.flashing.steps import end, last_words

_CHUNK_BYTES = 1 << 16
_KEPT_BYTES = 1 << 16
"""Of stderr, the end of it."""

_AFTER_S = 1.0
"""How long output may come after the program has ended: something that it started may hold the pipe open."""


@dataclass(frozen=True)
class Captured:
    """Exit code and stdout of a program, and the end of its stderr."""

    code: int
    output: bytes
    errors: str

    @property
    def words(self) -> str:
        """What it said last, for a sentence."""
        return last_words(self.errors if self.errors.strip() else self.output.decode(errors="replace"))


def capture(words: Sequence[str], limit_s: float, max_bytes: int) -> Captured:
    """Run ``words``, which have nothing to read.

    Raises ``InputError`` if the program cannot be run, does not end within ``limit_s``, or prints more than
    ``max_bytes``; it is stopped then.
    """
    name = Path(words[0]).name
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"{words[0]} cannot be run: {error.strerror}") from error
    output, errors = bytearray(), bytearray()
    assert child.stdout is not None and child.stderr is not None
    try:
        with selectors.DefaultSelector() as waiting:
            waiting.register(child.stdout, selectors.EVENT_READ, output)
            waiting.register(child.stderr, selectors.EVENT_READ, errors)
            deadline, ended = time.monotonic() + limit_s, False
            while waiting.get_map():
                if not ended and child.poll() is not None:
                    ended, deadline = True, time.monotonic() + _AFTER_S
                left = deadline - time.monotonic()
                if left <= 0:
                    if ended:
                        break
                    raise InputError(f"{name} did not end within {limit_s:g} s and was stopped")
                for key, _ in waiting.select(min(left, 0.2)):
                    chunk = os.read(key.fd, _CHUNK_BYTES)
                    if not chunk:
                        waiting.unregister(key.fileobj)
                    key.data.extend(chunk)
                if len(output) > max_bytes:
                    raise InputError(
                        f"{name} was stopped because it sent more than the {max_bytes:,} bytes that are read here"
                    )
                del errors[:-_KEPT_BYTES]
        code = child.wait(max(_AFTER_S, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise InputError(f"{name} did not end within {limit_s:g} s and was stopped") from None
    finally:
        end(child)
    return Captured(code, bytes(output), errors.decode(errors="replace"))
