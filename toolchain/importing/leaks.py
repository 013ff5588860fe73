"""The leak that comes nearest to a neuron's beta."""

from __future__ import annotations

from toolchain.graph.nodes import Leak

CLOSE = 1e-6
"""Betas that differ by less are the same: a float32 near 1 is exact to 6e-8."""

MOST_SHIFT = 15
LEAKS = (
    Leak("none", 1),
    *(Leak("subtract", shift) for shift in range(1, MOST_SHIFT + 1)),
    *(Leak("shift", shift) for shift in range(2, MOST_SHIFT + 1)),
)
"""Every share of a potential that can be kept: 1, 1 - 2**-k and 2**-k."""


def nearest_leak(beta: float) -> Leak:
    """The leak whose share is nearest to ``beta``, 0 to 1."""
    return min(LEAKS, key=lambda leak: abs(leak.kept - beta))


def in_words(leak: Leak) -> str:
    """A leak's share, and how it comes about."""
    if leak.form == "none":
        return "1, all of it"
    form = f"1 - 2^-{leak.shift}" if leak.form == "subtract" else f"2^-{leak.shift}"
    return f"{leak.kept:.6g}, {form}"
