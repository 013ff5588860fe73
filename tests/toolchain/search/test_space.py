from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.architecture.build import build
from toolchain.architecture.cells import Cell
from toolchain.graph.nodes import Lif, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.search.space import LEADS, LEAKS, MAX_SIDE, REFERENCE, direct_cells, sizes


@pytest.mark.parametrize("side", [1, 4, 8, 28, 32, 96, 224])
def test_every_point_of_the_grid_is_a_network_of_its_own(side: int) -> None:
    grid = sizes(Shape(3, side, side))
    assert grid and len(set(grid)) == len(grid)
    assert len({each.architecture(REFERENCE) for each in grid}) == len(grid)


def test_frames_leave_one_number_of_time_steps() -> None:
    grid, framed = sizes(Shape(2, 34, 34)), sizes(Shape(2, 34, 34), 5)
    assert {each.time_steps for each in framed} == {5} and len({each.time_steps for each in grid}) > 1
    alike = {replace(each, time_steps=5) for each in grid}
    assert set(framed) == alike


@pytest.mark.parametrize(("height", "width"), [(8, 65), (13, 13), (28, 28), (32, 40), (1, 1), (224, 160)])
def test_whatever_the_images_the_maps_have_sensible_sides(height: int, width: int) -> None:
    pixels = Shape(1, height, width)
    for size in sizes(pixels)[::97]:
        architecture = size.architecture(REFERENCE)
        graph = build(architecture, pixels, Preprocessing(height, width, "grey"), ("a", "b"))
        first = next(node for node in graph.all(Lif) if node.name.startswith("cell0"))
        assert max(first.shape[1:]) == size.first_side(pixels)
        assert size.first_side(pixels) <= MAX_SIDE or size.lead == max(LEADS)
        assert len(architecture.cells) == size.cells


def test_cells_and_leak_are_put_in_their_places() -> None:
    size = next(each for each in sizes(Shape(1, 32, 32)) if each.cells == 2 and each.growth == 2)
    cells = Cell.parse("003000"), Cell.parse("301203")
    architecture = size.architecture(*cells, leak=LEAKS[1])
    assert architecture.cells == cells and architecture.leak == LEAKS[1]
    assert size.architecture(cells[0]).cells == (cells[0],) * 2


def test_direct_cells_begin_with_the_reference() -> None:
    assert direct_cells()[0] == REFERENCE and len(set(direct_cells())) == 4
