from __future__ import annotations

import numpy as np
import pytest

from toolchain.graph.nodes import Leak, Shape, as_int, conv_output


@pytest.mark.parametrize(
    ("leak", "before", "after"),
    [
        (Leak("none", 1), -7, -7),
        (Leak("subtract", 2), 100, 75),
        (Leak("subtract", 2), 3, 3),  # 3 >> 2 = 0: a small potential does not leak at all
        (Leak("subtract", 2), -1, 0),  # -1 >> 2 = -1, the floor: -1 - -1
        (Leak("subtract", 2), -5, -3),  # -5 >> 2 = -2
        (Leak("shift", 1), 7, 3),
        (Leak("shift", 1), -1, -1),  # the floor keeps -1 at -1 for ever
        (Leak("shift", 1), -7, -4),
        (Leak("shift", 3), -9, -2),
    ],
)
def test_the_leak_takes_the_floor_of_negative_potentials_too(leak: Leak, before: int, after: int) -> None:
    assert leak.apply(np.array([before], np.int64))[0] == after


def test_kept_is_the_leak_of_a_large_potential() -> None:
    for leak in (Leak("none", 1), Leak("subtract", 3), Leak("shift", 2)):
        assert leak.apply(np.array([1 << 20], np.int64))[0] / (1 << 20) == leak.kept


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "expected"),
    [(7, 3, 1, 7), (7, 3, 2, 4), (8, 3, 2, 4), (7, 1, 2, 4), (8, 1, 2, 4), (1, 3, 2, 1)],
)
def test_a_convolution_of_odd_and_even_sides(side: int, kernel: int, stride: int, expected: int) -> None:
    assert conv_output(Shape(1, side, side), kernel, stride) == (expected, expected)


def test_a_missing_array_is_named() -> None:
    with pytest.raises(ValueError, match=r"stem\.bias is not set"):
        as_int(None, "stem.bias")
