from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.snasnet import snasnet_architectures
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import EXAMPLE, SnasnetArchitecture, parse, refuse, to_text
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape

DIRECT, CHAIN = Cell.parse("003000"), Cell.parse("302030")


@given(snasnet_architectures())
def test_round_trip(architecture: SnasnetArchitecture) -> None:
    line = to_text(architecture)
    assert "\n" not in line and line.startswith("snasnet ")
    assert parse(line) == architecture


def test_each_word() -> None:
    found = parse("snasnet t7 stem24/2 302030 003000 pool4 fc64 voters3")
    assert found == SnasnetArchitecture(24, (CHAIN, DIRECT), 7, 2, 4, 64, 3)
    assert parse(EXAMPLE) == SnasnetArchitecture.cifar100((CHAIN, DIRECT))


def test_one_cell_stands_for_both_positions() -> None:
    shared = SnasnetArchitecture.cifar10((CHAIN, CHAIN))
    assert to_text(shared) == "snasnet t5 stem256/1 302030 pool4 fc1024 voters10"
    assert parse(to_text(shared).replace("302030", "302030 302030")) == shared


def test_extents() -> None:
    published = SnasnetArchitecture.cifar100((DIRECT, DIRECT))
    assert published.maps(Shape(3, 32, 32)) == ((128, 32, 32), (256, 16, 16), (256, 8, 8))
    strided = parse("snasnet t5 stem8/2 003000 pool2 fc8 voters1")
    assert strided.maps(Shape(1, 29, 31)) == ((8, 15, 16), (16, 7, 8), (16, 3, 4))


def test_images_that_leave_nothing_are_refused() -> None:
    small = parse("snasnet t5 stem8/2 003000 pool4 fc8 voters1")
    assert small.maps(Shape(1, 15, 16)).pooled == (16, 1, 1)
    with pytest.raises(InputError, match="14x16 pixels, because it divides their sides by 16"):
        small.maps(Shape(1, 14, 16))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "not a line such as"),
        ("x" * 5000, "not a line such as"),
        (EXAMPLE.replace("snasnet", "spikenas"), "not a line such as"),
        (EXAMPLE + " 003000", "not a line such as"),
        (EXAMPLE.replace("t5", "t33"), "time steps must be a whole number from 1 to 32, not 33"),
        (EXAMPLE.replace("t5", "5"), "'5' stands where the time steps"),
        (EXAMPLE.replace("stem128/1", "stem128/3"), "'stem128/3' stands where the stem"),
        (EXAMPLE.replace("stem128/1", "stem9999/1"), "from 1 to 4096, not 9999"),
        (EXAMPLE.replace("302030", "302035"), "'302035' is not six digits"),
        (EXAMPLE.replace("302030", "300003"), "is not in the space"),
        (EXAMPLE.replace("pool2", "pool3"), "'pool3' stands where the second pooling"),
        (EXAMPLE.replace("fc1024", "fc0"), "'fc0' stands where the fully connected layer"),
        (EXAMPLE.replace("voters5", "voters1001"), "from 1 to 1000, not 1001"),
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


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="must be 2 or 4, not 3"):
        SnasnetArchitecture(8, (DIRECT, DIRECT), pool=3)
    with pytest.raises(InputError, match="each needs a cell"):
        SnasnetArchitecture(8, (DIRECT,))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="channels of the first cell must be a whole number"):
        SnasnetArchitecture(True, (DIRECT, DIRECT))


def test_refusals_are_one_sentence() -> None:
    error = refuse("A C export")
    assert isinstance(error, InputError)
    assert str(error).startswith("A C export is not to be had") and ". " not in str(error)
