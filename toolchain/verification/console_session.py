"""A network on a board, run through its console: who is there, the known-answer test, images and their scores.

Every wait has a limit and every answer a length, so a board that hangs or talks nonsense ends in a sentence. A frame
that is damaged on its way, by noise or by a log line within it, is asked for again.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.escapes import visible
from toolchain.verification.console_protocol import (
    Answer,
    Answers,
    Identity,
    identity,
    malformed,
    number,
    request,
)

ATTEMPTS = 5
"""How often a request is sent before its board is given up."""

MAX_DATA_BYTES = 64
"""Most bytes of an image in a frame, whatever a board says that it takes: a console's line buffer holds no more."""

POLL_S = 0.05
"""Longest that one read of a port waits."""

_READ_BYTES = 4096
_HEARD_BYTES = 120


class Port(Protocol):
    """What is used of a serial port: a pyserial ``Serial``."""

    @property
    def baudrate(self) -> int:
        """Bits a second."""
        ...

    @property
    def in_waiting(self) -> int:
        """Bytes that have come and were not read."""
        ...

    def read(self, size: int) -> bytes:
        """As many bytes as come within ``POLL_S``."""
        ...

    def write(self, data: bytes) -> int | None:
        """Send."""
        ...


@dataclass(frozen=True)
class Limits:
    """Longest waits in seconds: for the first answer, for any, and for one that takes an inference.

    The first is the longer one because opening its port restarts many a board, whose bootloader then waits.
    """

    start_s: float = 10.0
    answer_s: float = 1.5
    run_s: float = 30.0


class Unanswered(InputError):
    """The board did not answer, or nothing of what it sent was a whole answer."""


class Console:
    """The network behind ``port``; ``where`` says in messages which port that is.

    Raises ``InputError`` if no console of ours answers in time, or it stops answering.
    """

    def __init__(self, port: Port, where: str, limits: Limits | None = None) -> None:
        self._port, self.where, self._limits = port, where, limits or Limits()
        self._sequence = int.from_bytes(np.random.default_rng().bytes(2), "little")
        self._held: bytes | None = None
        self._heard = b""
        self.identity = self._identify()

    def self_test(self) -> bool:
        """Whether the known image gives the known scores there."""
        passed = self._done(self._ask("T", runs=True)).numbers(1)[0]
        if passed > 1:
            raise InputError(f"the known-answer test on {self.where} ended with {passed}, not 0 or 1")
        return bool(passed)

    def infer(self, pixels: bytes) -> tuple[NDArray[np.int32], int | None]:
        """Scores int32 [outputs] of an image in the firmware's order, and what its counter counted, if it has one."""
        self._send_image(pixels)
        answer = self._ask("R", number(zlib.crc32(pixels)), runs=True)
        if answer == Answer(answer.sequence, "E", ("image",)):
            # It restarted meanwhile, or somebody else uses its buffer.
            self._held = None
            self._send_image(pixels)
            answer = self._ask("R", number(zlib.crc32(pixels)), runs=True)
        counts, count = self._done(answer).numbers(2)
        return self._scores(), count if counts else None

    def _identify(self) -> Identity:
        deadline = time.monotonic() + self._limits.start_s
        while True:
            try:
                return identity(self._done(self._ask("I", attempts=1)))
            except Unanswered:
                if time.monotonic() > deadline:
                    raise InputError(
                        f"no answer on {self.where} within {self._limits.start_s:g} s{self._said()}; check that the "
                        "board runs firmware that feeds this port to spikenas_console_feed, that the firmware's speed "
                        f"is --baud {self._port.baudrate}, that RX and TX are not swapped, and that no other program "
                        "reads the port"
                    ) from None

    def _send_image(self, pixels: bytes) -> None:
        size = max(1, min(self.identity.data_bytes, MAX_DATA_BYTES))
        held, self._held = self._held, None
        for start in range(0, len(pixels), size):
            part = pixels[start : start + size]
            if held is None or held[start : start + size] != part:
                answer = self._done(self._ask("W", number(start), part.hex()))
                if answer.numbers(1) != [start + len(part)]:
                    raise malformed(answer)
        self._held = pixels

    def _scores(self) -> NDArray[np.int32]:
        found: list[int] = []
        while len(found) < self.identity.outputs:
            answer = self._done(self._ask("S", number(len(found))))
            first, count, *scores = answer.numbers(len(answer.words)) if len(answer.words) > 2 else (0, 0)
            if first != len(found) or count != len(scores) or not scores:
                raise malformed(answer)
            found += scores
        if len(found) != self.identity.outputs:
            raise malformed(answer)
        return np.array(found, np.uint32).astype(np.int32)

    def _done(self, answer: Answer) -> Answer:
        if answer.command == "E":
            raise InputError(
                f"the board on {self.where} refused a request with {' '.join(answer.words)!r:.40}; reset it, make "
                "sure that nothing else uses the port, and verify again"
            )
        return answer

    def _ask(self, command: str, *words: str, runs: bool = False, attempts: int = ATTEMPTS) -> Answer:
        limit_s = self._limits.run_s if runs else self._limits.answer_s
        silent = 0
        for _ in range(attempts):
            self._sequence = self._sequence % 0xFFFF + 1
            self._port.write(request(self._sequence, command, *words))
            answer = self._wait(limit_s)
            if isinstance(answer, Answer):
                if answer.command not in (command, "E"):
                    raise malformed(answer)
                return answer
            silent += answer is None
            # The wait for an inference is long: once for an answer, once more in case the request was lost.
            if silent > 1 and runs:
                break
        raise Unanswered(
            f"the board on {self.where} stopped answering{self._said()}: {limit_s:g} s after the request {command} "
            "nothing whole had come; check that its firmware feeds the console from a task with enough stack, and that "
            "its receive buffer holds a whole line"
        )

    def _wait(self, limit_s: float) -> Answer | bool | None:
        """The answer to the last request; False if it, or the request, was damaged on its way; None if none came."""
        deadline, answers = time.monotonic() + limit_s, Answers()
        self._heard = b""
        while time.monotonic() < deadline:
            # What is there at once, or the first byte: a larger read would wait for all of it.
            received = self._port.read(max(1, min(self._port.in_waiting, _READ_BYTES)))
            self._heard = (self._heard + received)[-_HEARD_BYTES:]
            for answer in answers.feed(received):
                if answer is None or answer == Answer(0, "E", ("crc",)):
                    return False
                if answer.sequence == self._sequence:
                    return answer
        return None

    def _said(self) -> str:
        if not self._heard:
            return " (nothing at all came)"
        return f" (it said {visible(self._heard.decode('ascii', 'replace'))[-60:]!r})"
