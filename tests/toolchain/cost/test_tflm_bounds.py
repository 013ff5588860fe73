"""What is said to be enough for TensorFlow Lite Micro is enough, and not far more."""

from __future__ import annotations

import random

import numpy as np
import pytest

from toolchain.architecture.build import build
from toolchain.architecture.cells import distinct_cells
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.tflm import predicted
from toolchain.cost.tflm_bounds import bounds
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles import load
from toolchain.search.space import sizes


def drawn(seed: int, side: int, count: int) -> list[Graph]:
    """Networks of the search's grid, of a size that microcontrollers take, with random cells."""
    rng, pixels = random.Random(seed), Shape(1, side, side)
    grid, cells = sizes(pixels, 1), distinct_cells()
    found: list[Graph] = []
    while len(found) < count:
        size = rng.choice(grid)
        architecture = size.architecture(*(rng.choice(cells) for _ in range(size.cells)))
        graph = build(architecture, pixels, Preprocessing(side, side, "grey"), tuple("0123456789"))
        if graph_demand(graph).weights < 500_000:
            found.append(graph)
    return found


@pytest.mark.parametrize("side", [16, 28, 40])
def test_bounds_are_above_the_prediction(side: int) -> None:
    board, ratios = load("stm32f405"), []
    for graph in drawn(side, side, 8):
        enough, needed = bounds(graph_demand(graph)), predicted(graph, board)
        assert enough.file_bytes >= needed.file_bytes and enough.arena_bytes >= needed.arena_bytes
        ratios.append((enough.file_bytes / needed.file_bytes, enough.arena_bytes / needed.arena_bytes))
    assert (np.median(ratios, axis=0) < (1.4, 1.7)).all()
