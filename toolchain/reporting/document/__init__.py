"""The report as data: what ``report --json`` prints and the page is drawn from; its JSON schema is published.

``docs/reference/report-schema.json`` is made from these classes. Names that end in ``_bytes``, ``_ms``, ``_mj`` or
``_hz`` say their unit; shares are between 0 and 1. What a run does not have yet is null or empty, and ``missing`` says
why and which command makes it.
"""

from __future__ import annotations

from toolchain.reporting.document.memory import Memory, Proof, Region, Segment
from toolchain.reporting.document.network import (
    Architecture,
    Block,
    CellEdge,
    Figure,
    Layer,
    Operations,
    Quality,
    Stage,
)
from toolchain.reporting.document.outputs import Confusion, Example, Number, Outputs
from toolchain.reporting.document.part import Evidence, Part
from toolchain.reporting.document.report import Comparison, Report, as_json, json_schema
from toolchain.reporting.document.run import Board, Data, File, Missing, Provenance
from toolchain.reporting.document.search import Candidate, Search
from toolchain.reporting.document.verdict import BudgetRow, Compared, Failure, FirstSpike, OnBoard, Verdict

__all__ = [
    "Architecture",
    "Block",
    "Board",
    "BudgetRow",
    "Candidate",
    "CellEdge",
    "Compared",
    "Comparison",
    "Confusion",
    "Data",
    "Evidence",
    "Example",
    "Failure",
    "Figure",
    "File",
    "FirstSpike",
    "Layer",
    "Memory",
    "Missing",
    "Number",
    "OnBoard",
    "Operations",
    "Outputs",
    "Part",
    "Proof",
    "Provenance",
    "Quality",
    "Region",
    "Report",
    "Search",
    "Segment",
    "Stage",
    "Verdict",
    "as_json",
    "json_schema",
]
