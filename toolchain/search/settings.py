"""What a user may set about a search."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.errors import InputError
from toolchain.graph.codes import WIDTHS

OPERATIONS = "01234"
"""All operations of a cell's edges, as digits."""


@dataclass(frozen=True)
class SearchSettings:
    """Seed and extent of a search; raises ``InputError`` for values that mean nothing.

    ``time_budget_s`` is filled and then ends the search; only with it may two searches with the same ``seed``
    differ, because one computer gets further than another. ``operations``: the digits that cells may have;
    without 0 (zeroize) there would be no cells but the largest. ``batch``: images that a score is computed from;
    ``weight_seeds``: untrained networks that each score is averaged over; ``bits``: those that a weight may have.
    """

    seed: int = 0
    time_budget_s: float | None = None
    operations: str = OPERATIONS
    batch: int = 32
    weight_seeds: int = 4
    bits: tuple[int, ...] = (8,)

    def __post_init__(self) -> None:
        for name, low in (("seed", 0), ("batch", 2), ("weight_seeds", 1)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value < 2**31:
                raise InputError(f"search: {name} must be a whole number from {low}, not {value!r:.40}")
        if self.time_budget_s is not None and not 0 < self.time_budget_s < float("inf"):
            raise InputError(
                f"search: the time budget must be above 0 seconds, not {self.time_budget_s!r:.40}"
            )
        if not self.bits or len(set(self.bits)) < len(self.bits) or not set(self.bits) <= set(WIDTHS):
            raise InputError(f"search: bits must be some of 8, 4 and 2, each once, not {self.bits!r:.40}")
        digits = set(self.operations)
        if "0" not in digits or len(digits) < 2 or not digits <= set(OPERATIONS):
            raise InputError(
                f"search: operations must be 0 and other digits from 1 to 4, not {self.operations!r:.40}"
            )
