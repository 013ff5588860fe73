"""Limits in sentences: how much of which is used, and what is over."""

from __future__ import annotations

from toolchain.search.board import LATENCY, PACE, Verdict


def amount(limit: str, value: float) -> str:
    """A value of ``limit`` with its unit, bytes in KiB; times are estimates and say so."""
    return f"{value:,.2f} ms (estimate)" if limit in (LATENCY, PACE) else f"{value / 1024:,.1f} KiB"


def misses(verdict: Verdict) -> str:
    """By how much ``verdict`` is over each limit, the worst first: ``flash by 2,048 bytes (...)``."""
    worst_first = sorted(verdict.excesses, key=lambda excess: -excess.used / max(excess.available, 1e-9))
    return " and ".join(
        f"{excess.limit} by {_difference(excess.limit, excess.used - excess.available)}"
        f" ({amount(excess.limit, excess.used)} of {amount(excess.limit, excess.available)})"
        for excess in worst_first
    )


def _difference(limit: str, value: float) -> str:
    return f"{value:,.2f} ms" if limit in (LATENCY, PACE) else f"{value:,.0f} bytes"
