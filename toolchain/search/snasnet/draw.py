"""How the published search draws a cell.

It fills a 4x4 matrix with operations, each of the five as likely, and keeps what lies above the diagonal. With
the powers of that matrix, computed once, it finds nodes that no path leads to from the input or from which none
leads to the output, and clears their rows and columns. It draws again while the direct edge from input to output
is zeroized. For forward edges one such pass is complete: every node of a path lies on a path, so clearing the
others cannot cut it. Hence what it draws, each of 12,500 matrices alike, is what ``Cell.parse`` makes of it:
7,556 distinct cells, of which some are drawn far more often than others. Where edges reach back, which is not
drawn here, that does not hold.
"""

from __future__ import annotations

import numpy as np

from toolchain.architecture.cells import EDGES, OUTPUT, Cell, Operation, canonical

_DIRECT = EDGES.index((0, OUTPUT))


def draw(rng: np.random.Generator) -> Cell:
    """Draw one cell with forward edges; the same cell may be drawn again."""
    while True:
        matrix = tuple(map(Operation, rng.integers(len(Operation), size=len(EDGES)).tolist()))
        if matrix[_DIRECT] != Operation.ZEROIZE:
            return Cell(canonical(matrix))
