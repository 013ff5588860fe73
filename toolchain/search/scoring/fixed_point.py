"""The small integers that all membrane potentials of a scored cell are computed in.

A current is an int16 in units of 1/512 of the threshold. Every edge's current is rounded to it and clamped, and
every potential is clamped after each step, so that the compiled kernel and the torch one add the same integers
in 16 bits and fire in the same places.

Nothing leaves int16. A node has at most three edges, and an edge's current is within 4,095, or within 8,190 if a
cell with real-valued nodes carries the sum at node 2 on to its output:

    sum of currents              <= 4,095 + 4,095 + 8,190 = 16,380
    potential before its leak    <= 16,384, and a leak makes no potential larger
    potential before its clamp   <= 16,384 + 16,380 = 32,764 < 32,767
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolchain.graph.nodes import Leak

THRESHOLD = 512
"""The threshold, 1.0, in units of a current."""

MAX_CURRENT = 4095
"""Largest magnitude of the current of one edge, 8 thresholds."""

MAX_POTENTIAL = 16384
"""Largest magnitude of a membrane potential after a step, 32 thresholds."""


@dataclass(frozen=True)
class Dynamics:
    """Leak and reset as one branchless step on int16; ``keep``, ``sign`` and ``remain`` are masks, 0 or -1.

        u <- (u & keep) + ((u >> shift) ^ sign) - sign + current, clamped;  fired = u >= THRESHOLD
        where it fired: u <- (u - THRESHOLD) & remain

    With sign = -1 the shifted potential is subtracted, with sign = 0 added. No leak is all of u shifted by 0.
    """

    shift: int
    keep: int
    sign: int
    remain: int

    @classmethod
    def of(cls, leak: Leak, reset: Literal["subtract", "zero"]) -> Dynamics:
        """The dynamics that ``toolchain.graph.nodes.Leak`` and ``Lif`` define."""
        mask = -int(leak.form == "subtract")
        return cls(0 if leak.form == "none" else leak.shift, mask, mask, -int(reset == "subtract"))
