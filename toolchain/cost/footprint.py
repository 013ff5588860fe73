"""What a network takes on a board, and by what it exceeds a budget: how the search drops a candidate unseen."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.cost.artifacts import artifact_bytes, latency_ms, resident_bytes
from toolchain.cost.layout import RegionUse, layout
from toolchain.cost.microcontroller import microcontroller_ms
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile


@dataclass(frozen=True)
class Footprint:
    """A network's demands on one board; what does not apply to the board is None.

    ``flash_bytes`` and ``sram_bytes`` are the whole image's, ``regions`` where they lie (exact but for the
    code's size); ``artifact_bytes`` is the largest of the profile's default files, ``resident_bytes`` what
    running it takes, and ``latency_ms`` the time for an image (estimates).
    """

    flash_bytes: int | None
    sram_bytes: int | None
    regions: tuple[RegionUse, ...]
    artifact_bytes: int | None
    resident_bytes: int | None
    latency_ms: float | None


@dataclass(frozen=True)
class Excess:
    """A limit that is broken: ``limit`` names it or the region; bytes, or milliseconds for ``latency``."""

    limit: str
    used: float
    available: float


def footprint(graph: Graph, profile: Profile) -> Footprint:
    """The demands of ``graph`` on the board of ``profile``; weights are not needed."""
    if profile.core is not None and profile.regions:
        plan = layout(graph, profile)
        time_ms = microcontroller_ms(graph, profile.core, profile.clock_hz)
        return Footprint(plan.flash_bytes, plan.sram_bytes, plan.regions, None, None, time_ms)
    forms = [form for form in profile.default_formats if form != "c"]
    rate = None if profile.performance is None else profile.performance.float_macs_per_second
    return Footprint(
        None,
        None,
        (),
        max((artifact_bytes(graph, form) for form in forms), default=None),
        max((resident_bytes(graph, form) for form in forms), default=None),
        None if rate is None else latency_ms(graph, rate),
    )


def excesses(used: Footprint, limits: Budget) -> list[Excess]:
    """Every limit of ``limits`` that ``used`` breaks; an empty list means that it fits."""
    totals: tuple[tuple[str, float | None, float | None], ...] = (
        ("flash", used.flash_bytes, limits.flash_bytes),
        ("sram", used.sram_bytes, limits.sram_bytes),
        ("artifact", used.artifact_bytes, limits.artifact_bytes),
        ("resident", used.resident_bytes, limits.resident_bytes),
        ("latency", used.latency_ms, limits.latency_ms),
    )
    over = [
        Excess(limit, taken, available)
        for limit, taken, available in totals
        if taken is not None and available is not None and taken > available
    ]
    # A region may be called like its kind; the total, which the user may have narrowed, then speaks for both.
    named = {excess.limit for excess in over}
    return over + [
        Excess(region.name, region.used_bytes, region.available_bytes)
        for region in used.regions
        if region.headroom_bytes < 0 and region.name not in named
    ]
