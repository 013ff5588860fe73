"""Scores that a cell's matrix alone decides: no weights, no images.

Among trained cells of this space the longest chain of convolutions from input to output, which costs nothing to
know, ranked better than the training-free scores that need forward passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.cells import OUTPUT, Cell, Operation, distinct_cells

CONVOLUTIONS = frozenset({Operation.CONV1X1, Operation.CONV3X3})
"""Operations with weights."""

Ints = NDArray[np.int64]


def longest_path(cell: Cell, counted: frozenset[Operation] = CONVOLUTIONS) -> int:
    """Most operations out of ``counted`` on one path from the cell's input to its output, 0 to 3."""
    longest = {0: 0}
    for node in cell.nodes:  # each after its sources
        longest[node] = max(longest[source] + (operation in counted) for source, operation in cell.into(node))
    return longest[OUTPUT]


def convolutions(cell: Cell) -> int:
    """Number of edges that convolve."""
    return sum(operation in CONVOLUTIONS for operation in cell.operations)


@dataclass(frozen=True, eq=False)
class Structure:
    """Structural scores of many cells: int64 arrays, one element a cell, in the order of ``cells``.

    ``path``: longest chain of 1x1 and 3x3 convolutions; ``path_3x3``: of 3x3 convolutions alone;
    ``convolutions``: edges that convolve; ``taps``: weights at a width of one channel.
    """

    cells: tuple[Cell, ...]
    path: Ints
    path_3x3: Ints
    convolutions: Ints
    taps: Ints

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Structure:
        """Look at every cell once."""
        wide = frozenset({Operation.CONV3X3})
        rows = [(longest_path(c), longest_path(c, wide), convolutions(c), c.weights(1)) for c in cells]
        path, path_3x3, count, taps = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        return cls(tuple(cells), path, path_3x3, count, taps)

    def weights(self, channels: int) -> Ints:
        """Convolution weights of each cell at this width."""
        return self.taps * channels**2


@lru_cache(maxsize=1)
def all_structures() -> Structure:
    """The structural scores of ``distinct_cells``, in their order."""
    return Structure.of(distinct_cells())
