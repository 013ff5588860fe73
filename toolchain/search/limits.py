"""What is over a limit, in a sentence."""

from __future__ import annotations

from toolchain.cost.footprint import Excess
from toolchain.search.board import LATENCY, PACE, Verdict


def misses(verdict: Verdict) -> str:
    """By how much ``verdict`` is over each limit, the worst first: ``flash by 2,048 bytes (...)``."""
    worst_first = sorted(verdict.excesses, key=lambda excess: -excess.used / max(excess.available, 1e-9))
    return " and ".join(_miss(excess) for excess in worst_first)


def _miss(excess: Excess) -> str:
    over = excess.used - excess.available
    if excess.limit in (LATENCY, PACE):
        figures = f"an estimated {excess.used:,.2f} ms of {excess.available:,.2f} ms"
        return f"{excess.limit} by {over:,.2f} ms ({figures})"
    if excess.limit == "energy":
        figures = f"an estimated {excess.used:,.4g} mJ of {excess.available:,.4g} mJ"
        return f"energy by {over:,.4g} mJ ({figures})"
    if excess.limit == "operations":
        return (
            f"operations by {over:,.0f} ({excess.used:,.0f} of {excess.available:,.0f} synaptic operations)"
        )
    figures = f"{excess.used / 1024:,.1f} KiB of {excess.available / 1024:,.1f} KiB"
    return f"{excess.limit} by {over:,.0f} bytes ({figures})"
