from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.cost.amounts import Map, ceiling, choose, larger, rounded

NUMBERS = st.lists(st.integers(-(1 << 40), 1 << 40), min_size=1, max_size=6)


@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=6))
def test_many_are_rounded_like_one(values: list[float]) -> None:
    assert [rounded(value) for value in values] == list(rounded(np.array(values)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "nearest"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (7, 7)])
def test_halves_go_to_the_even_number(value: float, nearest: int) -> None:
    assert rounded(value) == rounded(np.array([value]))[0] == nearest  # type: ignore[index]


@given(NUMBERS, st.integers(-(1 << 40), 1 << 40))
def test_choices_are_made_element_by_element(values: list[int], other: int) -> None:
    many = np.array(values)
    assert list(larger(many, other)) == [max(value, other) for value in values]  # type: ignore[arg-type]
    assert list(choose(many > other, 1, 2)) == [choose(value > other, 1, 2) for value in values]  # type: ignore[arg-type]


@given(NUMBERS, st.integers(1, 64))
def test_a_ceiling_holds_the_amount_and_no_multiple_more(values: list[int], multiple: int) -> None:
    for value, count in zip(values, ceiling(np.array(values), multiple), strict=True):  # type: ignore[arg-type]
        assert (count - 1) * multiple < value <= count * multiple
        assert count == ceiling(value, multiple)


def test_the_size_of_a_map_is_its_elements() -> None:
    assert Map(3, 4, 5).size == 60
    assert list(Map(np.array([1, 2]), 4, 5).size) == [20, 40]  # type: ignore[arg-type]
