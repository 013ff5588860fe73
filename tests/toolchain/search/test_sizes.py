from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.architecture.build import build
from toolchain.architecture.text import to_text
from toolchain.graph.nodes import Lif, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.search.sizes import FINE_SIDE, LAST_SIDE, REFERENCE, SMALLEST, ladder, with_cell


def test_the_ladder_for_digits() -> None:
    sizes = [to_text(size) for size in ladder(Shape(1, 16, 16))]
    assert sizes[:4] == [
        "t4 leak2 reset-subtract stem128/1 003000 stride128 003000 head-flatten",
        "t4 leak2 reset-subtract stem128/1 003000 stride128 003000 head-count",
        "t4 leak2 reset-subtract stem128/2 003000 stride128 003000 head-flatten",
        "t4 leak2 reset-subtract stem128/2 003000 stride128 003000 head-count",
    ]
    assert sizes[-1] == "t2 leak2 reset-subtract stem4/2 003000 head-count"
    assert len(sizes) == len(set(sizes)) == 49


@pytest.mark.parametrize(
    ("side", "fine", "coarse"),
    [
        (28, "stem128/1 003000 stride128 003000 stride128 003000", "stem128/2 003000 stride128 003000"),
        (
            64,
            "stem128/2 003000 stride128 003000 stride128 003000",
            "stem128/2 stride128 003000 stride128 003000",
        ),
        (8, "stem128/1 003000 stride128 003000", "stem128/2 003000 stride128 003000"),
    ],
)
def test_maps_before_the_first_and_in_the_last_cell(side: int, fine: str, coarse: str) -> None:
    first, _, second, *_ = ladder(Shape(3, side, side))
    assert fine in to_text(first) and coarse in to_text(second)


@given(st.builds(Shape, st.integers(1, 4), st.integers(1, 400), st.integers(1, 400)))
def test_every_size_can_be_built_and_its_maps_are_small(pixels: Shape) -> None:
    for size in ladder(pixels):
        graph = build(size, pixels, Preprocessing(pixels.height, pixels.width, "as_is"), ("a", "b"))
        cells = [node for node in graph.all(Lif) if node.name.startswith("cell")]
        assert max(cells[0].shape[1:]) <= FINE_SIDE
        # At most three cells, so an extent of 32 ends at 8, and nothing ends above that but one-cell sizes.
        assert max(cells[-1].shape[1:]) <= LAST_SIDE or len(size.cells) == 1


def test_with_cell_changes_every_position() -> None:
    size = next(ladder(Shape(1, 28, 28)))
    assert size.cells == (REFERENCE,) * 3
    assert with_cell(size, SMALLEST).cells == (SMALLEST,) * 3
