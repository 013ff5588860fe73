"""What every algorithm is: a deterministic function of a problem and of what it asks an ``Evaluation`` for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from toolchain.search.board import Board
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import feasible_sizes
from toolchain.search.problem import Problem


@dataclass(frozen=True)
class ScoredCell:
    """A cell at a position, why it is told of, and its mean scores over the seeds with their deviation."""

    position: int
    cell: str
    roles: tuple[str, ...]
    scores: dict[str, float]
    deviation: float
    longest_path: int
    convolutions: int


@dataclass
class Counts:
    """Candidates: ``space`` whole networks or cells looked at, dropped by each limit, scored, and trained."""

    space: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    scored: int = 0
    trained: int = 0


@dataclass(frozen=True)
class Found:
    """What an algorithm returns. ``board`` judged every candidate; its pace may have yielded to the fastest.

    ``trained`` has every candidate that was trained, with its longest trainings; ``cells`` those scored cells
    that decided something.
    """

    chosen: Candidate
    board: Board
    counts: Counts
    trained: tuple[Trained, ...] = ()
    cells: tuple[ScoredCell, ...] = ()
    keeps_pace: bool = True


class Algorithm(ABC):
    """A way to search. One class and one file each; ``tests/toolchain/search/algorithms`` holds for all."""

    name: ClassVar[str]

    def check(self, board: Board) -> None:
        """Make sure, before anything is written or computed, that something of the space fits ``board``.

        Raises ``OverBudgetError`` with what the smallest network misses, and ``InputError`` if the space has none
        for such images or such a board.
        """
        feasible_sizes(board)

    @abstractmethod
    def run(self, problem: Problem, evaluation: Evaluation) -> Found:
        """Search; every architecture returned is within the budget.

        The same problem gives the same result whatever the executor, unless a time budget ends it. Raises
        ``OverBudgetError`` if nothing of the space fits the board.
        """
