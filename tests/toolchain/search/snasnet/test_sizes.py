from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.cost.snasnet import artifact_bytes
from toolchain.errors import InputError, OverBudgetError
from toolchain.graph.nodes import Shape
from toolchain.search.snasnet.sizes import SKIP, ladder, largest_fitting, smallest, with_cell

CELLS = [Cell.parse(text) for text in ("001000", "003000", "302030", "333333")]


def test_the_published_sizes_are_the_first_rungs() -> None:
    ten, hundred = ladder(Shape(3, 32, 32), 10), ladder(Shape(3, 32, 32), 100)
    assert ten[0] == SnasnetArchitecture.cifar10((SKIP, SKIP))
    assert hundred[1] == SnasnetArchitecture.cifar100((SKIP, SKIP))
    assert ladder(Shape(3, 64, 64), 200)[0].stem_stride == 2


def test_a_rung_is_smaller_than_the_one_before() -> None:
    pixels = Shape(3, 32, 32)
    sizes = [artifact_bytes(rung, pixels, 10) for rung in ladder(pixels, 10)]
    # The second pooling by 4 in place of 2 makes the classifier of the widest one as small as that of the next.
    assert sizes[1:] == sorted(sizes[1:], reverse=True) and sizes[0] > sizes[1] / 2


@given(st.integers(20_000, 2_000_000))
def test_half_of_the_cells_fit_and_no_more_would_at_a_larger_size(artifact: int) -> None:
    where = board("jetson_nano", artifact_bytes=artifact)
    try:
        size = largest_fitting(where, CELLS)
    except OverBudgetError as error:
        assert "even the smallest misses artifact" in str(error)
        assert not where.judge(ladder(where.pixels, 3)[-1]).fits
        return

    def fitting(rung: SnasnetArchitecture) -> int:
        return sum(where.judge(with_cell(rung, cell)).fits for cell in CELLS)

    rungs = ladder(where.pixels, 3)
    larger = [fitting(rung) for rung in rungs[: rungs.index(size)]]
    assert fitting(size) >= 2 > max(larger, default=0) or (
        fitting(size) >= 1 and max(map(fitting, rungs)) < 2
    )


def test_what_cannot_be() -> None:
    with pytest.raises(InputError, match="stm32f405"):
        smallest(board("stm32f405"))
    with pytest.raises(InputError, match="2x2 suit no network of the snasnet space"):
        smallest(board("jetson_nano", bars(side=2)))
