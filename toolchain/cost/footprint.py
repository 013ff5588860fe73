"""What a network takes on a board, and by what it exceeds a budget: how the search drops a candidate unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from toolchain.cost.amounts import Amount, Estimate, Truth
from toolchain.cost.figures import MICRO, Figures, figures, files, micro_figures
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.layout import RegionUse
from toolchain.cost.tflm import predicted
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile


@dataclass(frozen=True)
class Footprint:
    """A network's demands on one board; what does not apply to the board is None.

    ``flash_bytes`` and ``sram_bytes`` are the whole image's, ``regions`` where they lie (exact but for the
    code's size); ``artifact_bytes`` is the largest of the files, ``resident_bytes`` what
    running it takes, and ``latency_ms`` and ``energy_mj`` the time and the energy for an image (estimates, of a
    microcontroller that was never timed at the slow end of their range (``cost.cycles``); the energy is the board's
    active power times that time). ``operations`` are an image's dense synaptic operations.
    """

    flash_bytes: int | None
    sram_bytes: int | None
    regions: tuple[RegionUse, ...]
    artifact_bytes: int | None
    resident_bytes: int | None
    latency_ms: float | None
    energy_mj: float | None
    operations: int


@dataclass(frozen=True)
class Excess:
    """A limit that is broken: ``limit`` names it or the region.

    Numbers are bytes, but milliseconds for ``latency``, millijoules for ``energy``, and a count for ``operations``.
    """

    limit: str
    used: float
    available: float


Held = tuple[str, Amount | Estimate, float]
"""A limit's name, what is taken of it (by one network or by each of many), and what is available."""


def footprint(graph: Graph, profile: Profile, targets: Sequence[str] = ()) -> Footprint:
    """The demands of ``graph`` on the board of ``profile``, shipped for ``targets``; weights are not needed.

    For TensorFlow Lite Micro these are closer than ``figures`` of the demand, and never above those but where its
    bounds fail. Raises ``InputError`` if it could not count the spikes.
    """
    demand = graph_demand(graph, files(profile, targets))
    if MICRO in targets:
        found = micro_figures(demand, profile, *predicted(graph, profile))
    else:
        found = figures(demand, profile, targets)
    return Footprint(
        _whole(found.flash_bytes),
        _whole(found.sram_bytes),
        tuple(RegionUse(r.name, r.kind, r.available_bytes, int(r.used_bytes)) for r in found.regions),
        _whole(found.artifact_bytes),
        _whole(found.resident_bytes),
        None if found.latency_ms is None else float(found.latency_ms),
        None if found.energy_mj is None else float(found.energy_mj),
        int(found.operations),
    )


def held(used: Footprint | Figures, limits: Budget) -> Iterator[Held]:
    """Every limit that applies. A region may be called like its kind, whose total then comes before it."""
    totals: tuple[tuple[str, Amount | Estimate | None, float | None], ...] = (
        ("flash", used.flash_bytes, limits.flash_bytes),
        ("sram", used.sram_bytes, limits.sram_bytes),
        ("artifact", used.artifact_bytes, limits.artifact_bytes),
        ("resident", used.resident_bytes, limits.resident_bytes),
        ("latency", used.latency_ms, limits.latency_ms),
        ("energy", used.energy_mj, limits.energy_mj),
        ("operations", used.operations, limits.operations),
    )
    for limit, taken, available in totals:
        if taken is not None and available is not None:
            yield limit, taken, available
    for region in used.regions:
        yield region.name, region.used_bytes, region.available_bytes


def excesses(used: Footprint, limits: Budget) -> list[Excess]:
    """Every limit of ``limits`` that ``used`` breaks; an empty list means that it fits."""
    return exceeded(held(used, limits))


def exceeded(limits: Iterable[Held]) -> list[Excess]:
    """Those that one network breaks, each name once: a total, which the user may have narrowed, speaks first."""
    over: dict[str, Excess] = {}
    for limit, taken, available in limits:
        if taken > available and limit not in over:
            over[limit] = Excess(limit, taken, available)  # type: ignore[arg-type] # of one network: a number
    return list(over.values())


def broken(limits: Iterable[Held]) -> dict[str, Truth]:
    """Whether each network breaks a limit, by the limit's name."""
    over: dict[str, Truth] = {}
    for limit, taken, available in limits:
        over[limit] = over.get(limit, False) | (taken > available)
    return over


def _whole(amount: Amount | None) -> int | None:
    return None if amount is None else int(amount)
