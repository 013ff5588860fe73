"""What the analysis of operations finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolchain.architecture.architecture import Architecture
from toolchain.search.board import Board
from toolchain.search.candidates import Trained
from toolchain.search.impact.noise import BEYOND, WITHIN
from toolchain.search.impact.sets import OperationSet
from toolchain.search.trainings import Extent

Verdict = Literal[
    "costs accuracy", "costs memory", "costs operations", "undecided", "costs nothing", "nothing fits"
]


@dataclass(frozen=True)
class Score:
    """The best cell of each position by score alone, and the sum of their scores over the positions.

    ``total`` is None where every network of the set fires alike for two of the images; ``deviation`` is over
    weight seeds.
    """

    cells: tuple[str, ...]
    total: float | None
    deviation: float


@dataclass(frozen=True)
class SetImpact:
    """A set of operations: how many distinct cells it leaves, its best ``score``, and what training gave.

    ``trained`` are all networks that were trained and have these operations alone, ``best`` is the most accurate of
    them; within one standard error of it ``chosen`` is the smallest, which a search would take, and ``leanest`` has
    the fewest effective synaptic operations. All are None if nothing fits. ``difference`` is the best one's mean
    accuracy less that of the full set's best, ``error`` its standard error, 0 where both are the same network;
    ``more_bytes`` and ``more_operations`` are what the chosen and the leanest take beyond the full set's.
    """

    operations: OperationSet
    cells: int
    score: Score | None
    trained: tuple[Trained, ...]
    best: Trained | None = None
    chosen: Trained | None = None
    leanest: Trained | None = None
    difference: float = 0.0
    error: float = 0.0
    more_bytes: int = 0
    more_operations: int = 0

    @property
    def verdict(self) -> Verdict:
        """What removing the operations does, by ``toolchain.search.impact.noise``."""
        if not self.trained:
            return "nothing fits"
        if self.difference < -BEYOND * self.error:
            return "costs accuracy"
        if self.difference < -WITHIN * self.error:
            return "undecided"
        if self.more_bytes > 0:
            return "costs memory"
        return "costs operations" if self.more_operations > 0 else "costs nothing"


@dataclass(frozen=True)
class Impact:
    """Every set that was looked at, the full one first; ``default`` is what may go without a cost, taken together.

    Cells were scored at the positions of ``anchor``; each network was trained to ``extent`` from every one of
    ``seeds``, and single trainings have the standard deviation ``deviation``.
    """

    board: Board
    anchor: Architecture
    extent: Extent
    seeds: tuple[int, ...]
    deviation: float
    sets: tuple[SetImpact, ...]
    default: OperationSet
