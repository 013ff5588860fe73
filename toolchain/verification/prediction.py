"""What the cost model says that a network takes, as lines of the budget; labelled estimated."""

from __future__ import annotations

from toolchain.cost.footprint import footprint
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.verification.budget_lines import BudgetLine, region_lines

NAME = "prediction"


def predicted_lines(graph: Graph, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """A line for each limit that the cost model has a figure for; weights are not needed."""
    found = footprint(graph, profile)
    lines = region_lines(
        NAME, {region.name: region.used_bytes for region in found.regions}, limits, "estimated"
    )
    for resource, used, available in (
        ("artifact", found.artifact_bytes, limits.artifact_bytes),
        ("resident memory", found.resident_bytes, limits.resident_bytes),
    ):
        if used is not None and available is not None:
            lines.append(BudgetLine(NAME, resource, used, available, "estimated"))
    if found.latency_ms is not None and limits.latency_ms is not None:
        used, available = round(found.latency_ms * 1000), round(limits.latency_ms * 1000)
        lines.append(BudgetLine(NAME, "latency", used, available, "estimated", "us", "for the board"))
    return lines
