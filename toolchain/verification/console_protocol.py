"""Frames of the console that runs a network on a board (``exporters/c/runtime/spikenas_console.h`` describes them).

A board may say anything else on the same line, before, between and within frames: only a
whole frame with its CRC counts.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from toolchain.errors import InputError

PROTOCOL = 1
MAX_FRAME_BYTES = 512
"""Longest answer that is taken; the longest that a board sends has some 250 characters."""

_REQUEST, _ANSWER = b"SPK?", b"SPK!"
_FRAME = re.compile(rb"(SPK!([0-9a-f]{4}) ([A-Z])((?: [!-)+-}]*)*))\*([0-9a-f]{8})")
_NUMBER = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Answer:
    """What a board answered: the number and command of the request, or command ``E``, and words."""

    sequence: int
    command: str
    words: tuple[str, ...]

    def numbers(self, count: int) -> list[int]:
        """All words as numbers; raises ``InputError`` unless they are ``count`` of them."""
        if len(self.words) != count or not all(map(_NUMBER.fullmatch, self.words)):
            raise malformed(self)
        return [int(word, 16) for word in self.words]


@dataclass(frozen=True)
class Identity:
    """What a board says of itself and its network.

    ``counter_hz`` are counts a second of its counter, 0 if that counts the core's cycles; ``clock_hz`` is 0 if unknown.
    """

    image_bytes: int
    outputs: int
    data_bytes: int
    counter_hz: int
    clock_hz: int
    sha256: str
    prefix: str
    version: str
    compiler: str


def request(sequence: int, command: str, *words: str) -> bytes:
    """The frame that asks for ``command``."""
    content = _REQUEST + " ".join([f"{sequence:04x}", command, *words]).encode()
    return b"~" + content + b"*%08x\n" % zlib.crc32(content)


def number(value: int) -> str:
    """A number as a word of a request."""
    return f"{value:08x}"


def identity(answer: Answer) -> Identity:
    """What the answer to ``I`` says; raises ``InputError`` if it is of another protocol or form."""
    words = answer.words
    if not words or not _NUMBER.fullmatch(words[0]):
        raise malformed(answer)
    if (spoken := int(words[0], 16)) != PROTOCOL:
        raise InputError(
            f"the board's console speaks version {spoken} of its protocol, and {PROTOCOL} is spoken here; export the "
            "network again and rebuild the board's firmware with its spikenas_console.c"
        )
    if (
        len(words) != 10
        or not all(map(_NUMBER.fullmatch, words[:6]))
        or not re.fullmatch("[0-9a-f]{64}", words[6])
    ):
        raise malformed(answer)
    image_bytes, outputs, data_bytes, counter_hz, clock_hz = (int(word, 16) for word in words[1:6])
    return Identity(image_bytes, outputs, data_bytes, counter_hz, clock_hz, *words[6:])


def malformed(answer: Answer) -> InputError:
    """An answer whose CRC is right and whose form is not: no console of ours sent it."""
    shown = " ".join([answer.command, *answer.words])
    return InputError(
        f"the board's console answered {shown!r:.60}, which is not of its protocol; rebuild the board's firmware with "
        "the spikenas_console.c that `spikenas-deploy export` wrote"
    )


class Answers:
    """Finds answers in the bytes that a board sends; what it keeps is bounded, whatever comes."""

    def __init__(self) -> None:
        self._line: bytearray | None = None

    def feed(self, data: bytes) -> list[Answer | None]:
        """The answers that ``data`` completes; None stands for one that was damaged on its way."""
        found: list[Answer | None] = []
        for byte in data:
            if byte == ord("~"):
                # A frame that another one interrupts is damaged.
                found += [None] if self._is_answer() else []
                self._line = bytearray()
            elif byte in b"\r\n":
                found += [_answer(bytes(self._line))] if self._line is not None and self._is_answer() else []
                self._line = None
            elif self._line is not None:
                self._line.append(byte)
                if len(self._line) > MAX_FRAME_BYTES:
                    self._line = None
        return found

    def _is_answer(self) -> bool:
        return self._line is not None and self._line.startswith(_ANSWER)


def _answer(line: bytes) -> Answer | None:
    found = _FRAME.fullmatch(line)
    if found is None or zlib.crc32(found[1]) != int(found[5], 16):
        return None
    return Answer(int(found[2], 16), found[3].decode(), tuple(found[4].decode().split()))
