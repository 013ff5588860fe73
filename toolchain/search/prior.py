"""TEMPORARY prior."""

from __future__ import annotations

import math

from toolchain.architecture.cells import Cell
from toolchain.graph.nodes import Shape
from toolchain.search.space import Sizes


def expected(sizes: Sizes, cell: Cell, pixels: Shape) -> float:
    """What accuracy is to be expected of a network, on a scale without a unit."""
    side = sizes.first_side(pixels) / 2 ** (sizes.cells - 1)
    return (
        0.3 * math.log2(sizes.stem_channels)
        + 0.4 * math.log2(side)
        + 0.1 * math.log2(sizes.time_steps)
        - 0.5 * (sizes.head == "count")
        - 0.1 * (sizes.cells + sizes.lead)
        + 0.1 * (sizes.growth == 2)
    )
