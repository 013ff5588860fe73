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

Verdict = Literal["costs accuracy", "undecided", "costs nothing", "nothing fits"]


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
    """A set of operations: how many distinct cells it leaves, its best ``score``, and the networks that were trained.

    ``difference`` is the best network's mean accuracy less that of the full set's best, ``error`` its standard
    error, 0 where both are the same network.
    """

    operations: OperationSet
    cells: int
    score: Score | None
    trained: tuple[Trained, ...]
    difference: float = 0.0
    error: float = 0.0

    @property
    def best(self) -> Trained | None:
        """The most accurate network, of equal ones the smaller; None if nothing fits."""
        if not self.trained:
            return None
        return min(self.trained, key=lambda each: (-each.accuracy, each.size_bytes, each.candidate.id))

    @property
    def verdict(self) -> Verdict:
        """What removing the operations does, by ``toolchain.search.impact.noise``."""
        if not self.trained:
            return "nothing fits"
        if self.difference < -BEYOND * self.error:
            return "costs accuracy"
        return "costs nothing" if self.difference >= -WITHIN * self.error else "undecided"


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
