from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.errors import InputError
from toolchain.verification.console_protocol import (
    MAX_FRAME_BYTES,
    Answer,
    Answers,
    identity,
    number,
    request,
)

SHA256 = "ab" * 32
IDENTITY = (
    "00000001",
    "00000010",
    "00000003",
    "00000040",
    "00000000",
    "0a037a00",
    SHA256,
    "net",
    "1.2",
    "gcc",
)


def frame(sequence: int, command: str, *words: str) -> bytes:
    """An answer as a board sends it."""
    content = " ".join([f"SPK!{sequence:04x}", command, *words]).encode()
    return b"~" + content + b"*%08x\r\n" % zlib.crc32(content)


def test_a_request_is_one_line_with_its_crc() -> None:
    assert request(0xAB, "W", number(64), "00ff") == b"~SPK?00ab W 00000040 00ff*%08x\n" % zlib.crc32(
        b"SPK?00ab W 00000040 00ff"
    )


def test_answers_are_found_among_other_text() -> None:
    data = b"boot ~ok\r\n" + frame(1, "T", "00000001") + b"nsh> " + frame(2, "E", "idle") + b"~"
    assert Answers().feed(data) == [Answer(1, "T", ("00000001",)), Answer(2, "E", ("idle",))]


@given(st.lists(st.integers(0, 60), max_size=6))
def test_it_matters_not_how_the_bytes_come(cuts: list[int]) -> None:
    data, answers = b"x~SP\n" + frame(7, "W", "00000040") + frame(8, "R", "00000000", "00000000"), Answers()
    edges = [0, *sorted(cuts), len(data)]
    found = [
        answer
        for start, end in zip(edges, edges[1:], strict=False)
        for answer in answers.feed(data[start:end])
    ]
    assert found == [Answer(7, "W", ("00000040",)), Answer(8, "R", ("00000000", "00000000"))]


@given(st.integers(1, 26), st.integers(1, 255))
def test_a_changed_byte_is_never_taken_for_an_answer(at: int, change: int) -> None:
    data = bytearray(frame(1, "T", "00000001"))
    data[at] ^= change
    assert [answer for answer in Answers().feed(bytes(data)) if answer is not None] == []


def test_an_answer_that_something_breaks_into_is_damaged() -> None:
    whole = frame(1, "T", "00000001")
    assert Answers().feed(whole[:12] + b"\r\n[1] log\r\n" + whole[12:]) == [None]
    assert Answers().feed(whole[:12] + whole) == [None, Answer(1, "T", ("00000001",))]


@given(st.binary(max_size=3000))
def test_whatever_comes_little_is_kept(data: bytes) -> None:
    answers = Answers()
    answers.feed(b"~" + data + b"~SPK!" + b"0" * 5000)
    assert len(answers._line or b"") <= MAX_FRAME_BYTES


def test_our_own_requests_come_back_unheard() -> None:
    assert Answers().feed(request(1, "I")) == []


def test_an_identity() -> None:
    found = identity(Answer(1, "I", IDENTITY))
    assert (found.image_bytes, found.outputs, found.data_bytes, found.counter_hz) == (16, 3, 64, 0)
    assert (found.clock_hz, found.sha256, found.prefix, found.version) == (168_000_000, SHA256, "net", "1.2")


def test_another_version_of_the_protocol_is_told() -> None:
    with pytest.raises(InputError, match=r"speaks version 2 .*, and 1 is spoken here; .*rebuild"):
        identity(Answer(1, "I", ("00000002", "new")))


@pytest.mark.parametrize(
    "words", [(), ("1",), IDENTITY[:-1], (*IDENTITY, "x"), (*IDENTITY[:6], "AB" * 32, *IDENTITY[7:])]
)
def test_an_identity_of_another_form_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="not of its protocol"):
        identity(Answer(1, "I", words))


def test_numbers_are_counted_and_read() -> None:
    assert Answer(1, "R", ("00000001", "ffffffff")).numbers(2) == [1, 0xFFFFFFFF]
    for words in (("00000001",), ("00000001", "0"), ("00000001", "0000000g")):
        with pytest.raises(InputError, match="not of its protocol"):
            Answer(1, "R", words).numbers(2)
