from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.reporting.scatter import scatter, ticks

NUMBERS = st.floats(min_value=-1e15, max_value=1e15)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0.1, 0.65, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
        (83, 262, [100, 150, 200, 250]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_dots_lie_in_order_and_up_is_better() -> None:
    drawn = scatter([(10, 0.5), (20, 0.75), (30, 0.25)], percent=True)
    xs, ys = [dot.x for dot in drawn.dots], [dot.y for dot in drawn.dots]
    assert xs == sorted(xs) and ys[1] < ys[0] < ys[2]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert [tick.text for tick in drawn.y_ticks] == ["30 %", "40 %", "50 %", "60 %", "70 %"]


def test_alike_axes_put_what_is_equal_on_the_diagonal() -> None:
    drawn = scatter([(0, 0), (10, 10), (5, 0)], alike=True)
    across, up = drawn.right - drawn.left, drawn.bottom - drawn.top
    shares = [((dot.x - drawn.left) / across, (drawn.bottom - dot.y) / up) for dot in drawn.dots]
    assert all(x == pytest.approx(y, abs=0.002) for x, y in shares[:2]) and shares[2][1] < shares[2][0]


def test_the_front_s_line_leaves_out_what_another_beats_and_what_is_not_on_it() -> None:
    values = [(10, 0.5), (20, 0.4), (30, 0.9), (5, 0.95)]
    drawn = scatter(values, on_front=[True, True, True, False])
    first, _, third, _ = drawn.dots
    assert drawn.front == ((first.x, first.y), (third.x, first.y), (third.x, third.y))
    assert scatter(values).front == ()


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_whatever_the_values_all_is_within_the_plot(values: list[tuple[float, float]]) -> None:
    drawn = scatter(values, on_front=[True] * len(values), percent=True)
    assert len(drawn.dots) == len(values)
    for x, y in [*((dot.x, dot.y) for dot in drawn.dots), *drawn.front]:
        assert drawn.left <= x <= drawn.right and drawn.top <= y <= drawn.bottom
    assert all(drawn.left <= tick.at <= drawn.right for tick in drawn.x_ticks)
    assert 1 <= len(drawn.x_ticks) <= 12 and 1 <= len(drawn.y_ticks) <= 12
