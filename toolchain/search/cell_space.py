"""Which of the 7,012 cells a search looks at, and which of those it scored it takes.

SAHD alone chooses badly here: what it ranks first among all cells (chains of 1x1 convolutions and pools such as
204242) lost to the plain reference in every comparison after training. Test accuracy of the integer network, the
same training for all, other cells and sizes equal, one or two seeds (a run scatters by about 0.5 points):

    cells                                                  digits            Fashion-MNIST (10,000 images)
    reference at every position (003000)                   99.16, 97.49 %    86.88 %
    highest SAHD of cells with a 3x3 on the direct edge    98.33, 97.77 %    85.91 %
    highest SAHD of all cells                              96.94 %           85.45 %

So the direct edge has to hold what the reference has, and a larger cell has to beat it by more than the noise of
its score. Where no reference fits, all cells are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from toolchain.architecture.cells import EDGES, OUTPUT, Cell, Operation, distinct_cells
from toolchain.search.sizes import REFERENCE

if TYPE_CHECKING:
    from toolchain.search.results import Candidate

NOISE = 2.0
"""Standard deviations over weight seeds within which two scores count as equal."""


@lru_cache(maxsize=8)
def searched_cells(reserve: Cell) -> tuple[Cell, ...]:
    """The cells for a position that ``reserve`` is held for, those with the most weights first."""
    direct = EDGES.index((0, OUTPUT))
    chosen = [
        cell
        for cell in distinct_cells()
        if reserve != REFERENCE or cell.operations[direct] == Operation.CONV3X3
    ]
    return tuple(sorted(chosen, key=lambda cell: (-cell.weights(1), cell)))


def best(scored: Sequence[Candidate]) -> Candidate:
    """The candidate with the highest SAHD (January 2022); of those within its noise the one with fewest weights."""
    highest = max(scored, key=lambda candidate: candidate.scores.sahd_2022_01)
    enough = highest.scores.sahd_2022_01 - NOISE * highest.scores.spread
    level = [candidate for candidate in scored if candidate.scores.sahd_2022_01 >= enough]
    return min(level, key=lambda c: (c.weights, -c.scores.sahd_2022_01, str(c.cell)))
