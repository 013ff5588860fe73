"""The journal's lines, apart from those of jobs and decisions: the first and the last.

Each line has a ``kind``: ``start`` (what was asked), then ``job`` (a job and its result) and ``decision`` (what
depended on the clock, such as whether there was time for another round) as they come, and at last ``result``.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from toolchain.architecture.text import to_text
from toolchain.cost.footprint import Footprint
from toolchain.search.journal import Entry
from toolchain.search.problem import Problem
from toolchain.search.results import SearchResult

FORMAT = "spikenas-search/3"


def start_entry(algorithm: str, problem: Problem) -> Entry:
    """What the search was asked; JSON data, so that it equals what is read back."""
    asked = {
        "kind": "start",
        "format": FORMAT,
        "algorithm": algorithm,
        "profile": problem.board.profile.name,
        "limits": asdict(problem.board.limits),
        "data": problem.data.name,
        "data_sha256": problem.data.sha256,
        "settings": asdict(problem.settings),
    }
    entry: Entry = json.loads(json.dumps(asked))
    return entry


def result_entry(result: SearchResult) -> Entry:
    """The network found."""
    return {
        "kind": "result",
        "architecture": to_text(result.architecture),
        "footprint": footprint_entry(result.found.chosen.verdict.footprint),
        "elapsed_s": round(result.seconds, 2),
    }


def footprint_entry(found: Footprint) -> Entry:
    """A footprint as JSON data."""
    return asdict(found) | {"regions": [asdict(region) for region in found.regions]}
