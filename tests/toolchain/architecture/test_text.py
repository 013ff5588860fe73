from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.architecture_strategies import architectures
from toolchain.architecture import snasnet
from toolchain.architecture.architecture import Architecture, Shrink
from toolchain.architecture.text import EXAMPLE, parse, parse_any, to_text
from toolchain.errors import InputError
from toolchain.graph.nodes import Leak


@given(architectures())
def test_round_trip(architecture: Architecture) -> None:
    line = to_text(architecture)
    assert "\n" not in line and len(line) < 200
    assert parse(line) == architecture


def test_each_word() -> None:
    found = parse("t8 decay3 reset-zero stem4/1 pool8 stride16 head-flatten")
    assert found == Architecture(
        8, Leak("shift", 3), "zero", 4, 1, (Shrink("pool", 8), Shrink("stride", 16)), "flatten"
    )
    assert parse("t1 no-leak reset-zero stem1/1 head-count").leak == Leak("none")


def test_bits_of_a_weight_go_without_saying_if_they_are_8() -> None:
    assert parse(EXAMPLE).bits == 8
    for bits in (4, 2):
        line = EXAMPLE.replace("reset-subtract", f"reset-subtract w{bits}")
        assert parse(line) == replace(parse(EXAMPLE), bits=bits) and to_text(parse(line)) == line


def test_spaces_around_words_and_dead_branches_do_not_matter() -> None:
    assert to_text(parse(f"  {EXAMPLE.replace('003000', '303000')}\n")) == EXAMPLE


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "not a line such as"),
        ("t4 leak2 reset-subtract stem16/2", "not a line such as"),
        ("x" * 5000, "not a line such as"),
        (EXAMPLE.replace("t4", "t9"), "'t9' stands where the time steps, t1 to t8 belongs"),
        (EXAMPLE.replace("t4", "T4"), "'T4'"),
        (EXAMPLE.replace("leak2", "leak0"), "'leak0' stands where the leak"),
        (EXAMPLE.replace("leak2", "leak16"), "from 1 to 15, not 16"),
        (EXAMPLE.replace("leak2", "no-leak2"), "'no-leak2'"),
        (EXAMPLE.replace("reset-subtract", "reset-none"), "'reset-none'"),
        (EXAMPLE.replace("stem16/2", "w8 stem16/2"), "'w8' stands where the bits of a weight, w4 or w2"),
        (EXAMPLE.replace("stem16/2", "stem16/2 w4"), "'w4' stands where a cell"),
        ("t4 leak2 reset-subtract w4 stem16/2", "not a line such as"),
        (EXAMPLE.replace("stem16/2", "stem16/3"), "'stem16/3' stands where the stem"),
        (EXAMPLE.replace("stem16/2", "stem9999/2"), "from 1 to 4096, not 9999"),
        (EXAMPLE.replace("stride32", "stride"), "'stride' stands where a cell"),
        (EXAMPLE.replace("stride32", "max32"), "'max32'"),
        (EXAMPLE.replace("003000", "003005"), "'003005' is not six digits"),
        (EXAMPLE.replace("003000", "300303"), "300303 is not in the space"),
        (EXAMPLE.replace("head-count", "head-mean"), "'head-mean' stands where head-count or head-flatten"),
        (EXAMPLE + " 003000", "'head-count' stands where a cell"),
    ],
)
def test_wrong_lines_name_the_wrong_word(wrong: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(wrong)


@given(st.text(max_size=80))
def test_any_text_is_an_architecture_or_an_input_error(text: str) -> None:
    try:
        parse(text)
    except InputError:
        pass


def test_lines_of_every_space_are_read_in_one_place() -> None:
    assert parse_any(EXAMPLE) == parse(EXAMPLE)
    assert parse_any(snasnet.EXAMPLE) == snasnet.parse(snasnet.EXAMPLE)
    assert to_text(parse_any(snasnet.EXAMPLE)) == snasnet.EXAMPLE
    for line in ("", "snasnet", "snasnets t5"):
        with pytest.raises(InputError, match="is not a line such as"):
            parse_any(line)
