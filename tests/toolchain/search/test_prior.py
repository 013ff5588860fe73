from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.graph.nodes import Shape
from toolchain.search.prior import expected
from toolchain.search.space import Sizes

PIXELS = Shape(1, 28, 28)
SIZES = Sizes(2, 32, 2, 1, 1, 1, "stride", "flatten")


@pytest.mark.parametrize(
    "better",
    [{"stem_channels": 64}, {"time_steps": 4}, {"growth": 2}, {"stem_stride": 1}],
)
def test_more_promises_more(better: dict[str, int]) -> None:
    assert expected(replace(SIZES, **better), PIXELS) > expected(SIZES, PIXELS)


@pytest.mark.parametrize("worse", [{"bits": 4}, {"bits": 2}, {"head": "count"}, {"shrink": "pool"}])
def test_counting_pooling_and_fewer_bits_promise_less(worse: dict[str, str | int]) -> None:
    assert expected(replace(SIZES, **worse), PIXELS) < expected(SIZES, PIXELS)  # type: ignore[arg-type]
