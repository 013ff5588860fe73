"""Sets of operations that cells may have: all of them, or all but some."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.architecture.cells import Operation
from toolchain.search.settings import OPERATIONS

ZEROIZE = str(Operation.ZEROIZE.value)
"""Never removed: without it every edge is taken, and there are no cells but the largest."""

REMOVABLE = OPERATIONS.replace(ZEROIZE, "")

NAMES = {"1": "skip", "2": "conv1x1", "3": "conv3x3", "4": "avgpool3x3"}


@dataclass(frozen=True)
class OperationSet:
    """All operations but the ``removed`` ones (digits)."""

    removed: str = ""

    @property
    def permitted(self) -> str:
        """The digits that remain."""
        return "".join(digit for digit in OPERATIONS if digit not in self.removed)

    @property
    def name(self) -> str:
        """``all``, or ``without conv1x1, avgpool3x3``."""
        return "without " + ", ".join(NAMES[digit] for digit in self.removed) if self.removed else "all"

    def without(self, operation: str) -> OperationSet:
        """The set that lacks ``operation`` too."""
        return OperationSet("".join(sorted(self.removed + operation)))
