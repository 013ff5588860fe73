"""What the cost model says that a network takes, as lines of the budget; labelled estimated."""

from __future__ import annotations

from toolchain.cost.calibrated import label
from toolchain.cost.cycles import binding, range_words
from toolchain.cost.figures import MICRO
from toolchain.cost.footprint import footprint
from toolchain.cost.layout import layout
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule
from toolchain.verification.budget_lines import BudgetLine, Unit, region_lines

NAME = "prediction"

UNMEASURED = frozenset({"energy", "operations"})
"""Resources that are known from the cost model alone, whatever ran."""


def predicted_lines(
    graph: Graph, profile: Profile, limits: Budget, schedule: Schedule = DEFAULT_SCHEDULE
) -> list[BudgetLine]:
    """A line for each limit that the cost model has a figure for; weights are not needed.

    ``schedule``: of the firmware, whose memory follows it; latency and energy are those by layers.
    """
    found = footprint(graph, profile, limits.targets)
    regions = found.regions
    if schedule != DEFAULT_SCHEDULE and regions and MICRO not in limits.targets:
        regions = layout(graph, profile, schedule).regions
    lines = region_lines(NAME, {region.name: region.used_bytes for region in regions}, limits, "estimated")
    for resource, used, available in (
        ("artifact", found.artifact_bytes, limits.artifact_bytes),
        ("resident memory", found.resident_bytes, limits.resident_bytes),
    ):
        if used is not None and available is not None:
            lines.append(BudgetLine(NAME, resource, used, available, "estimated"))
    for_board = ", ".join(filter(None, ("for the board", _pace(profile, found.latency_ms))))
    thousandths: tuple[tuple[str, float | None, float | None, Unit, str], ...] = (
        ("latency", found.latency_ms, limits.latency_ms, "us", for_board),
        ("energy", found.energy_mj, limits.energy_mj, "uj", f"{for_board}, by its active power"),
    )
    for resource, estimate, limit, unit, note in thousandths:
        if estimate is not None and limit is not None:
            used, available = round(estimate * 1000), round(limit * 1000)
            lines.append(
                BudgetLine(NAME, resource, used, available, "estimated", unit, note, binding(profile))
            )
    if limits.operations is not None:
        lines.append(
            BudgetLine(
                NAME,
                "operations",
                found.operations,
                limits.operations,
                "estimated",
                "operations",
                "dense, counted from the network",
            )
        )
    return lines


def _pace(profile: Profile, latency_ms: float | None) -> str:
    """How fast the board is taken to be."""
    if profile.core is None or latency_ms is None:
        return label(profile)
    return range_words(profile, latency_ms, estimated=True)
