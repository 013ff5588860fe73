"""The C side of the console, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.c import compilers, export
from exporters.c.arrays import pixels_last
from tests.support.console import host_console
from tests.support.graphs import random_graph, random_images
from toolchain import __version__
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.profiles import load
from toolchain.verification.console_protocol import Answer, Answers, identity, number, request

GRAPH = random_graph(14)
SIZE, OUTPUTS = GRAPH.input.size, GRAPH.head.classes
SCORES_OF_AN_ANSWER = 8
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "on-board.md"


class Said(NamedTuple):
    """What the console answered, and how many bytes it left to others."""

    answers: list[Answer | None]
    others: int


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return host_console(GRAPH, tmp_path_factory.mktemp("console"))


@pytest.fixture(autouse=True)
def _gcc(require_tool: Callable[[str], str]) -> None:
    require_tool("gcc")


def say(program: Path, data: bytes, *counter_hz: str) -> Said:
    done = subprocess.run([str(program), *counter_hz], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    answers = Answers().feed(done.stdout)
    assert done.stdout.count(b"\n") == len(answers), done.stdout
    return Said(answers, int(done.stderr))


def upload(image: bytes, chunk: int = 64) -> bytes:
    return b"".join(
        request(7, "W", number(start), image[start : start + chunk].hex())
        for start in range(0, len(image), chunk)
    )


def scores_of(answers: list[Answer | None]) -> list[int]:
    found: list[int] = []
    for answer in answers:
        if answer is not None and answer.command == "S":
            first, count, *values = answer.numbers(len(answer.words))
            assert first == len(found) and count == len(values)
            found += np.array(values, np.uint32).astype(np.int32).tolist()
    return found


def pixels(graph: Graph, count: int) -> list[bytes]:
    return [pixels_last(image).tobytes() for image in random_images(graph, count, seed=3)]


def test_it_says_what_network_it_runs(program: Path) -> None:
    (answer,), _ = say(program, request(9, "I"), "123456")
    assert answer is not None and answer.sequence == 9
    found = identity(answer)
    assert (found.image_bytes, found.outputs, found.data_bytes) == (SIZE, OUTPUTS, 64)
    assert (found.sha256, found.prefix, found.version) == (GRAPH.sha256(), "net", __version__)
    assert (found.counter_hz, found.clock_hz) == (123456, 168_000_000)


def test_the_known_answer_passes(program: Path) -> None:
    assert say(program, request(1, "T")).answers == [Answer(1, "T", ("00000001",))]


def test_images_give_the_reference_s_scores_and_what_they_took(program: Path) -> None:
    images = random_images(GRAPH, 3, seed=3)
    for image, expected in zip(pixels(GRAPH, 3), reference.scores(GRAPH, images), strict=True):
        asked = upload(image) + request(8, "R", number(zlib.crc32(image)))
        asked += b"".join(request(9, "S", number(first)) for first in range(0, OUTPUTS, SCORES_OF_AN_ANSWER))
        answers, _ = say(program, asked, "1")
        assert scores_of(answers) == expected.tolist()
        assert Answer(8, "R", (number(1), number(1000))) in answers
        assert Answer(8, "R", (number(0), number(0))) in say(program, asked).answers


def test_what_is_no_frame_is_left_to_others(program: Path) -> None:
    banner = b"boot: ok\r\n~/bin$ ls\r\nnsh> "
    answers, others = say(program, banner + request(1, "T") + b"trailing\n")
    assert answers == [Answer(1, "T", ("00000001",))]
    # A tilde might have begun a frame, and so might what follows it up to the first wrong character.
    assert others == len(banner) + len(b"trailing\n") - 1


def test_an_interrupted_frame_is_dropped_and_the_next_one_is_taken(program: Path) -> None:
    assert say(program, request(1, "T")[:-5] + request(2, "T")).answers == [Answer(2, "T", ("00000001",))]


def test_its_own_answers_come_back_unheard(program: Path) -> None:
    assert say(program, request(1, "T").replace(b"SPK?", b"SPK!")).answers == []


@pytest.mark.parametrize("at", [5, 9, 10, 15, -3])
def test_a_damaged_frame_is_refused(program: Path, at: int) -> None:
    frame = bytearray(request(1, "R", number(0)))
    frame[at] ^= 1
    assert say(program, bytes(frame)).answers == [Answer(0, "E", ("crc",))]


@pytest.mark.parametrize(
    ("command", "words", "why"),
    [
        ("R", [number(1)], "image"),
        ("S", [number(0)], "idle"),
        ("W", [number(SIZE), "00"], "range"),
        ("W", [number(SIZE - 1), "0000"], "range"),
        ("W", [number(0xFFFFFFFF), "0000"], "range"),
        ("W", [number(0), "0"], "form"),
        ("W", [number(0), "0g"], "form"),
        ("W", [number(0)], "form"),
        ("W", ["12"], "form"),
        ("I", ["x"], "form"),
        ("T", [number(0)], "form"),
        ("R", [], "form"),
        ("R", ["0000000G"], "form"),
        ("S", [number(0), number(0)], "form"),
        ("X", [], "form"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_word(
    program: Path, command: str, words: list[str], why: str
) -> None:
    assert say(program, request(1, command, *words)).answers == [Answer(1, "E", (why,))]


def test_scores_beyond_the_last_are_refused(program: Path) -> None:
    (image,) = pixels(GRAPH, 1)
    asked = upload(image) + request(2, "R", number(zlib.crc32(image))) + request(3, "S", number(OUTPUTS))
    assert say(program, asked).answers[-1] == Answer(3, "E", ("range",))


def test_data_that_is_refused_is_not_written(program: Path) -> None:
    image = bytes(SIZE)
    asked = request(1, "W", number(0), "ff" * 4 + "0x") + request(2, "R", number(zlib.crc32(image)))
    assert [answer and answer.command for answer in say(program, asked).answers] == ["E", "R"]


def test_a_line_without_end_is_dropped(program: Path) -> None:
    endless = b"~SPK?0001 W " + b"0" * 5000 + b"\n"
    assert say(program, endless + request(2, "T")).answers == [Answer(2, "T", ("00000001",))]


WORDS = st.one_of(st.integers(0, 0xFFFFFFFF).map(number), st.binary(max_size=70).map(bytes.hex), st.just(""))
FRAMES = st.builds(
    request,
    st.integers(0, 0xFFFF),
    st.sampled_from("ITWRSE"),
    st.one_of(WORDS, st.integers(0, SIZE).map(number)),
    st.binary(max_size=70).map(bytes.hex),
)
NOISE = st.one_of(st.binary(max_size=40), st.text("~SPK?! 01f*\r\n", max_size=40).map(str.encode))


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.one_of(FRAMES, NOISE), max_size=30))
def test_no_bytes_break_it(program: Path, parts: list[bytes]) -> None:
    """Whatever comes, the sanitizers find nothing, and every answer is a whole frame."""
    answers, _ = say(program, b"".join(parts) + b"\n" + request(77, "T"))
    assert None not in answers
    assert answers[-1] == Answer(77, "T", ("00000001",))


def test_the_guide_s_code_compiles(tmp_path: Path) -> None:
    folder = export(GRAPH, load("stm32f405"), tmp_path)[0].parent
    (code,) = re.findall(r"```c\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    declared, start, statements = code.partition("spikenas_console_start")
    given = "extern void send_byte(void *context, uint8_t byte);\n"
    body = f"void body(uint8_t byte);\nvoid body(uint8_t byte)\n{{\n{start}{statements}}}\n"
    (folder / "main.c").write_text(declared.replace("static", given + "static", 1) + body)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    outcome = compilers.run([*compilers.host_command(), *flags, "main.c"], folder)
    assert outcome.returncode == 0, outcome.stderr
