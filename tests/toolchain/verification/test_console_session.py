"""The session against boards that are well, slow, broken and hostile; all of them in memory."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import count, cycle, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolchain.verification.test_console_protocol import IDENTITY, frame
from toolchain.errors import InputError
from toolchain.verification.console_session import ATTEMPTS, Console, Limits

PIXELS = bytes(range(16))
SCORES = (5, 0xFFFFFFFF, 7)


class Board:
    """A port behind which ``answers`` says what comes back for a request (its number, command and words)."""

    def __init__(self) -> None:
        self.image = bytearray(16)
        self.requests: list[str] = []
        self.coming = b"boot: ready\r\n"
        self.answers: Callable[[int, str, list[str]], bytes] = self.well

    baudrate = 9600

    @property
    def in_waiting(self) -> int:
        return len(self.coming)

    def read(self, size: int) -> bytes:
        found, self.coming = self.coming[:size], self.coming[size:]
        if not found:
            time.sleep(0.001)
        return found

    def write(self, data: bytes) -> int:
        found = re.fullmatch(rb"~SPK\?(\w{4}) (\w)((?: \w+)*)\*\w{8}\n", data)
        assert found is not None and len(data) <= 160
        self.requests.append(found[2].decode())
        self.coming += self.answers(int(found[1], 16), found[2].decode(), found[3].decode().split())
        return len(data)

    def well(self, sequence: int, command: str, words: list[str]) -> bytes:
        """As our own console answers."""
        if command == "I":
            return frame(sequence, "I", *IDENTITY)
        if command == "T":
            return frame(sequence, "T", "00000001")
        if command == "W":
            start, data = int(words[0], 16), bytes.fromhex(words[1])
            self.image[start : start + len(data)] = data
            return frame(sequence, "W", f"{start + len(data):08x}")
        if command == "R":
            if int(words[0], 16) != zlib.crc32(self.image):
                return frame(sequence, "E", "image")
            return frame(sequence, "R", "00000001", "000003e8")
        first = int(words[0], 16)
        return frame(sequence, "S", words[0], "00000001", f"{SCORES[first]:08x}")

    def instead(self, command: str, *answers: bytes | None) -> None:
        """From now on answer ``command`` so, one after the other and then well; None is silence, ``%`` the number."""
        left: Iterator[bytes | None] = iter(answers)

        def answer(sequence: int, asked: str, words: list[str]) -> bytes:
            if asked == command:
                for given in left:
                    return b"" if given is None else given
            return self.well(sequence, asked, words)

        self.answers = answer


@pytest.fixture
def board() -> Board:
    return Board()


def opened(board: Board) -> Console:
    return Console(board, "the port", Limits(start_s=0.1, answer_s=0.02, run_s=0.05))


def test_a_board_that_is_well(board: Board) -> None:
    console = opened(board)
    assert console.self_test()
    scores, counts = console.infer(PIXELS)
    assert scores.dtype == np.int32 and scores.tolist() == [5, -1, 7] and counts == 1000
    assert board.image == PIXELS


def test_what_the_board_holds_is_not_sent_again(board: Board) -> None:
    console = opened(board)
    console.infer(PIXELS)
    before = board.requests.count("W")
    console.infer(PIXELS)
    assert board.requests.count("W") == before
    board.image = bytearray(16)
    console.infer(PIXELS)
    assert board.image == PIXELS, "a board that has forgotten the image gets it again"


@pytest.mark.parametrize(
    "bad", [None, b"~SPK!00", frame(0, "E", "crc"), frame(9, "T", "00000000"), b"noise\n"]
)
def test_what_is_lost_or_damaged_is_asked_for_again(board: Board, bad: bytes | None) -> None:
    console = opened(board)
    board.instead("W", bad, bad)
    assert console.infer(PIXELS)[0].tolist() == [5, -1, 7]
    board.instead("T", bad)
    assert console.self_test()


def test_a_port_where_nobody_answers(board: Board) -> None:
    board.answers = lambda *_: b""
    board.coming = b""
    with pytest.raises(
        InputError, match=r"no answer on the port within 0.1 s \(nothing at all came\); .*--baud"
    ):
        opened(board)


def test_a_port_where_somebody_else_talks(board: Board) -> None:
    board.answers = lambda *_: b"nsh: ~SPK?: command not found\x1b[K\r\n"
    with pytest.raises(InputError, match=r"it said '.*command not found\\\\x1b"):
        opened(board)


def test_a_flood_ends_in_time(board: Board) -> None:
    """A board that never stops sending costs neither time nor memory without end."""
    flood = repeat(b"~SPK!" + b"0123456789 " * 300)

    class Flood(Board):
        in_waiting = 1 << 40

        def read(self, size: int) -> bytes:
            assert size <= 4096
            return next(flood)[:size]

    start = time.monotonic()
    with pytest.raises(InputError, match="no answer"):
        opened(Flood())
    assert time.monotonic() - start < 5


def test_a_board_that_stops_answering(board: Board) -> None:
    console = opened(board)
    for command in ("W", "R", "S"):
        board.instead(command, *repeat(None, 99))
        board.requests.clear()
        with pytest.raises(InputError, match="the board on the port stopped answering .* enough stack"):
            console.infer(PIXELS[::-1])
        assert board.requests.count(command) == (2 if command == "R" else ATTEMPTS)
        board.answers = board.well
        console.infer(PIXELS)


ANSWERS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda command, words: frame(1, command, *words),
        st.sampled_from("ITWRSE"),
        st.lists(st.sampled_from(["00000000", "00000001", "ffffffff", "x", "~", ""]), max_size=5),
    ),
)


@settings(max_examples=40, deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=12), start=st.integers(0, 1))
def test_whatever_a_board_answers_ends_in_a_result_or_a_sentence(answers: list[bytes], start: int) -> None:
    board, left = Board(), cycle(answers)
    console = Console(board, "the port", Limits(start_s=0.1, answer_s=0.002, run_s=0.004))
    # So that a frame of number 1 is taken for the answer now and then.
    console._sequence = start
    board.answers = lambda *_: next(left)
    for ask in (console.self_test, lambda: console.infer(PIXELS)):
        try:
            ask()
        except InputError as error:
            assert str(error).isprintable()


def test_a_refusal_is_told(board: Board) -> None:
    console = opened(board)
    sequence = count(console._sequence + 1)
    board.answers = lambda *_: frame(next(sequence), "E", "range")
    with pytest.raises(InputError, match="the board on the port refused a request with 'range'; reset it"):
        console.infer(PIXELS)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("T", ("00000002",)),
        ("T", ()),
        ("W", ("00000000",)),
        ("R", ("00000001",)),
        ("S", ("00000000", "00000000")),
        ("S", ("00000001", "00000001", "00000000")),
        ("S", ("00000000", "00000004", *["00000000"] * 4)),
        ("S", ("00000000", "00000002", "00000000")),
    ],
)
def test_answers_of_another_form_are_refused(board: Board, command: str, words: tuple[str, ...]) -> None:
    console = opened(board)
    board.answers = lambda sequence, asked, given: (
        frame(sequence, asked, *words) if asked == command else board.well(sequence, asked, given)
    )
    with pytest.raises(InputError, match="not of its protocol|ended with 2"):
        console.self_test()
        console.infer(PIXELS)


def test_an_answer_to_another_command_is_refused(board: Board) -> None:
    console = opened(board)
    board.answers = lambda sequence, *_: frame(sequence, "S", "00000000")
    with pytest.raises(InputError, match="not of its protocol"):
        console.self_test()


def test_a_board_without_a_counter(board: Board) -> None:
    console = opened(board)
    board.answers = lambda sequence, asked, given: (
        frame(sequence, "R", "00000000", "00000000") if asked == "R" else board.well(sequence, asked, given)
    )
    assert console.infer(PIXELS)[1] is None
