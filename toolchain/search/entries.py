"""The journal's lines: what is written about each step, so that every candidate can be evaluated again.

Each has a ``kind``, in this order: ``start`` (settings, data, seeds), ``size`` for each size tried, then for each
position ``candidate`` for each cell looked at (with ``dropped_by``, or with ``scores``) and ``choice``, and at
last ``result``. A score of null is -inf: the cell fired alike for all images.
"""

from __future__ import annotations

import math
from dataclasses import asdict

from toolchain.architecture.architecture import SPACE
from toolchain.architecture.cells import Cell
from toolchain.architecture.text import to_text
from toolchain.cost.footprint import Footprint
from toolchain.datasets import Dataset
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.search.board import Verdict
from toolchain.search.journal import Entry
from toolchain.search.results import Candidate, Position, Role, SearchResult
from toolchain.search.scores import Scores
from toolchain.search.settings import SearchSettings

FORMAT = "spikenas-search/1"


def start_entry(
    profile: Profile, limits: Budget, data: Dataset, settings: SearchSettings, seeds: list[int]
) -> Entry:
    """What the search was asked; ``weight_seeds`` draw both the weights and the batch of each network."""
    return {
        "kind": "start",
        "format": FORMAT,
        "space": SPACE,
        "profile": profile.name,
        "limits": asdict(limits),
        "data": data.name,
        "data_sha256": data.sha256,
        "settings": asdict(settings),
        "weight_seeds": seeds,
    }


def size_entry(verdict: Verdict) -> Entry:
    """One rung of the ladder of sizes."""
    return {"kind": "size"} | _verdict(verdict)


def dropped_entry(position: int, cell: Cell, verdict: Verdict, roles: tuple[Role, ...]) -> Entry:
    """A cell that is over budget."""
    return _cell(position, cell, roles) | _verdict(verdict)


def candidate_entry(position: int, candidate: Candidate, seconds: float) -> Entry:
    """A cell that was scored."""
    return {
        **_cell(position, candidate.cell, candidate.roles),
        **_verdict(candidate.verdict),
        "weights": candidate.weights,
        "scores": scores_entry(candidate.scores),
        "seconds": round(seconds, 4),
    }


def choice_entry(position: int, found: Position) -> Entry:
    """The cell taken for a position."""
    return {
        "kind": "choice",
        "position": position,
        "cell": str(found.chosen.cell),
        "space": found.space,
        "dropped": found.dropped,
        "scored": len(found.scored),
        "stopped_by": found.stopped_by,
    }


def result_entry(result: SearchResult) -> Entry:
    """The network found."""
    return {
        "kind": "result",
        "architecture": to_text(result.architecture),
        "footprint": footprint_entry(result.footprint),
        "seconds": round(result.seconds, 2),
    }


def scores_entry(scores: Scores) -> dict[str, float | None]:
    """Scores as JSON data."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(scores).items()}


def footprint_entry(found: Footprint) -> Entry:
    """A footprint as JSON data."""
    return asdict(found)


def _cell(position: int, cell: Cell, roles: tuple[Role, ...]) -> Entry:
    return {"kind": "candidate", "position": position, "cell": str(cell), "roles": list(roles)}


def _verdict(verdict: Verdict) -> Entry:
    return {
        "architecture": to_text(verdict.architecture),
        "footprint": footprint_entry(verdict.footprint),
        "dense_operations": verdict.operations,
        "latency_ms": verdict.latency_ms,
        "dropped_by": verdict.dropped_by,
    }
