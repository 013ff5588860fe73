"""A whole run, or several side by side, and the JSON schema of both."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from toolchain.measures import Task
from toolchain.reporting.document.memory import Memory
from toolchain.reporting.document.network import Architecture, Figure, Layer, Operations, Quality
from toolchain.reporting.document.outputs import Outputs
from toolchain.reporting.document.part import Part
from toolchain.reporting.document.run import Board, Data, Missing, Provenance
from toolchain.reporting.document.search import Search
from toolchain.reporting.document.verdict import BudgetRow, Verdict

SCHEMA: Literal["spikenas-report/1"] = "spikenas-report/1"
"""Name and version of the JSON document; a change that breaks its readers raises the version."""

COMPARISON_SCHEMA: Literal["spikenas-report-comparison/1"] = "spikenas-report-comparison/1"

State = Literal["searching", "searched", "trained", "exported", "verified", "failed"]


class Report(Part):
    """A whole run."""

    document: Literal["spikenas-report/1"] = Field(default=SCHEMA, alias="schema")
    run: str
    created: str
    state: State
    demonstration: bool | None
    task: Task | None
    missing: list[Missing]
    board: Board
    data: Data | None
    verdict: Verdict | None
    budget: list[BudgetRow]
    memory: Memory | None
    search: Search | None
    architecture: Architecture | None
    quality: Quality | None
    layers: list[Layer]
    operations: Operations | None
    latency: list[Figure]
    energy: list[Figure]
    outputs: Outputs | None
    provenance: Provenance

    model_config = ConfigDict(populate_by_name=True)


class Comparison(Part):
    """Two or more runs side by side, in the order in which they were named."""

    document: Literal["spikenas-report-comparison/1"] = Field(default=COMPARISON_SCHEMA, alias="schema")
    runs: list[Report]

    model_config = ConfigDict(populate_by_name=True)


def as_json(document: Report | Comparison) -> dict[str, Any]:
    """The document as JSON data, without the pictures of the page."""
    return document.model_dump(mode="json", by_alias=True)


def json_schema() -> dict[str, Any]:
    """The published schema, of a report or of a comparison."""
    adapter: TypeAdapter[Report | Comparison] = TypeAdapter(Report | Comparison)
    found = adapter.json_schema(mode="serialization", by_alias=True)
    title = "What `spikenas-deploy report --json` prints"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title} | found
