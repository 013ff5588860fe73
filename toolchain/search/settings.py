"""What a user may set about a search."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.errors import InputError

MOST_CANDIDATES, FEWEST_CANDIDATES = 100, 10

SCORING_OPERATIONS = 3 * 10**11
"""Synaptic operations spent on scoring a position: some twenty seconds on one core of a desktop computer."""


@dataclass(frozen=True)
class SearchSettings:
    """Extent and seed of a search; raises ``InputError`` for values that mean nothing.

    At each position ``candidates`` cells are scored beside the references; None means 100, or fewer where the
    networks are large. ``time_budget_s`` ends the scoring earlier, shared out evenly over the positions; only
    then may two searches with the same ``seed`` differ, because one computer gets further than another.
    ``batch``: images a forward pass; ``weight_seeds``: untrained networks that each score is averaged over.
    """

    seed: int = 0
    time_budget_s: float | None = None
    candidates: int | None = None
    batch: int = 32
    weight_seeds: int = 4

    def __post_init__(self) -> None:
        for name, low in (("seed", 0), ("candidates", 0), ("batch", 2), ("weight_seeds", 1)):
            value = getattr(self, name)
            if name == "candidates" and value is None:
                continue
            if type(value) is not int or not low <= value < 2**31:
                raise InputError(f"search: {name} must be a whole number from {low}, not {value!r:.40}")
        if self.time_budget_s is not None and not 0 < self.time_budget_s < float("inf"):
            raise InputError(
                f"search: the time budget must be above 0 seconds, not {self.time_budget_s!r:.40}"
            )

    def candidates_for(self, operations: int) -> int:
        """Cells to score at each position of networks with so many dense ``operations`` an image."""
        if self.candidates is not None:
            return self.candidates
        affordable = SCORING_OPERATIONS // (operations * self.batch * self.weight_seeds)
        return min(MOST_CANDIDATES, max(FEWEST_CANDIDATES, affordable))
