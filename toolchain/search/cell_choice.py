"""Which of the scored cells of a position go into the pool.

SAHD alone chooses badly: what it ranks first among all cells (chains of 1x1 convolutions and pools such as 204242)
lost to the plain reference in every comparison after training. Test accuracy of the integer network, the same
training for all, other cells and sizes equal, one or two seeds (a run scatters by about 0.5 points):

    cells                                                  digits            Fashion-MNIST (10,000 images)
    reference at every position (003000)                   99.16, 97.49 %    86.88 %
    highest SAHD of cells with a 3x3 on the direct edge    98.33, 97.77 %    85.91 %
    highest SAHD of all cells                              96.94 %           85.45 %

So a cell keeps the reference's operation on the direct edge, SAHD ranks only cells whose longest path of
convolutions is equally long, and how long it should be is left to training.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.cells import EDGES, OUTPUT, Cell, distinct_cells
from toolchain.search.algorithms.base import ScoredCell
from toolchain.search.scoring.results import SCORES, Averages
from toolchain.search.scoring.structural import all_structures

RANKED_BY = "sahd_2022_01"

PATHS = (2, 3)
"""Lengths of a cell's longest path of convolutions that have a place in the pool beside the references."""

NOISE = 2.0
"""Standard deviations over weight seeds within which two scores count as equal."""

_DIRECT = EDGES.index((0, OUTPUT))
_CELLS = distinct_cells()


def best_cells(scores: Averages, reserve: Cell, permitted: Collection[Cell]) -> dict[int, Cell]:
    """By length of the longest path of convolutions, the best of the ``permitted`` cells with such a path.

    Of those within the noise of the highest score the one with the fewest weights is best. Cells without the
    operation of ``reserve`` on the direct edge, and paths of one convolution or none, are left to the references.
    """
    allowed, direct = frozenset(permitted), reserve.operations[_DIRECT]
    eligible = np.array([cell in allowed and cell.operations[_DIRECT] == direct for cell in _CELLS])
    values = scores.mean[RANKED_BY]
    found = {}
    for length in PATHS:
        indices = np.flatnonzero(eligible & (all_structures().path == length))
        if len(indices) and np.isfinite(values[indices]).any():
            found[length] = _CELLS[_smallest_of_level(indices, values, scores.deviation[RANKED_BY])]
    return found


def told(position: int, scores: Averages, roles: dict[Cell, str]) -> Iterator[ScoredCell]:
    """The cells with ``roles``, and the arg max of every score, as a user is told of them."""
    every = {cell: [role] for cell, role in roles.items()}
    for name in SCORES:
        every.setdefault(_CELLS[int(np.argmax(scores.mean[name]))], []).append(f"highest {name}")
    for cell, why in every.items():
        index, structure = _CELLS.index(cell), all_structures()
        yield ScoredCell(
            position,
            str(cell),
            tuple(why),
            {name: float(scores.mean[name][index]) for name in SCORES},
            float(scores.deviation[RANKED_BY][index]),
            int(structure.path[index]),
            int(structure.convolutions[index]),
        )


def _smallest_of_level(
    indices: NDArray[np.int64], values: NDArray[np.float64], deviation: NDArray[np.float64]
) -> int:
    highest = indices[np.argmax(values[indices])]
    enough = values[highest] - NOISE * deviation[highest]
    level = [int(index) for index in indices if values[index] >= enough]
    return min(level, key=lambda index: (_CELLS[index].weights(1), -values[index], index))
