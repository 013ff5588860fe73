"""The report as data: what ``report --json`` prints and the page is drawn from; its JSON schema is published.

``docs/reference/report-schema.json`` is made from these classes. Names that end in ``_bytes``, ``_ms``, ``_mj`` or
``_hz`` say their unit; shares are between 0 and 1. What a run does not have yet is null or empty, and ``missing`` says
why and which command makes it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from toolchain.measures import Task

SCHEMA: Literal["spikenas-report/1"] = "spikenas-report/1"
"""Name and version of the JSON document; a change that breaks its readers raises the version."""

COMPARISON_SCHEMA: Literal["spikenas-report-comparison/1"] = "spikenas-report-comparison/1"

Evidence = Literal["measured", "emulated", "estimated"]
State = Literal["searching", "searched", "trained", "exported", "verified", "failed"]


class Part(BaseModel):
    """A part of the document: nothing that the schema does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Missing(Part):
    """What is not there, why, and the command that makes it, if one does."""

    what: str
    why: str
    command: str | None = None


class Board(Part):
    """The hardware profile of the run."""

    name: str
    title: str
    role: str
    core: str | None
    clock_hz: int
    source: str


class Data(Part):
    """The data set: images in its test part, pixels of one image as channels, height, width."""

    name: str
    labels: list[str]
    test_images: int
    pixels: list[int]
    frames: int


class BudgetRow(Part):
    """``used`` of ``available``, in ``unit``, of ``resource`` by ``artifact``; headroom is negative if over.

    Where nothing limits the resource, ``available`` and ``headroom`` are null.
    """

    artifact: str
    resource: str
    used: int
    available: int | None
    headroom: int | None
    unit: Literal["bytes", "us", "uj", "operations"]
    evidence: Evidence
    note: str


class Failure(Part):
    """Why a verdict is not passed."""

    cause: str
    message: str


class FirstSpike(Part):
    """Where spikes first differ, in the first image whose scores do: ``differing`` of the ``spikes`` of ``node``.

    Where all spikes agree, ``node`` is the read-out, and place and time are null.
    """

    image: int
    node: str
    time_step: int | None
    channel: int | None
    row: int | None
    column: int | None
    expected: int | None
    got: int | None
    differing: int
    spikes: int


class Compared(Part):
    """Integers of one artifact in one runtime against the reference's; ``spikes`` if they differ and it shows them."""

    artifact: str
    runtime: str
    evidence: Evidence
    images: int
    integers: int
    differing: int
    spikes: FirstSpike | None = None


class Verdict(Part):
    """The outcome of ``verify``; ``proofs`` that do not hold are among the failures."""

    passed: bool
    images: int
    failures: list[Failure]
    notes: list[str]
    compared: list[Compared]


class Proof(Part):
    """Bytes of one thing, as predicted and as the linked image has them."""

    artifact: str
    name: str
    predicted_bytes: int
    used_bytes: int
    exact: bool
    holds: bool


class Segment(Part):
    """Bytes of one kind of content within a region; free and reserved bytes are segments too."""

    kind: Literal[
        "reserved",
        "code",
        "weights",
        "tables",
        "known_answer",
        "arena",
        "mailbox",
        "stack",
        "free",
        "withheld",
    ]
    size_bytes: int
    evidence: Evidence | None
    note: str = ""


class Region(Part):
    """A memory region of the board: its ``segments`` sum up to its size, or to more by ``over_bytes``."""

    name: str
    kind: Literal["flash", "sram"]
    origin: int
    size_bytes: int
    available_bytes: int
    used_bytes: int
    over_bytes: int
    segments: list[Segment]


class Memory(Part):
    """The regions, ``proofs`` of the prediction from the linked image, and how deep the stack went (emulated)."""

    regions: list[Region]
    proofs: list[Proof]
    stack_used_bytes: int | None
    stack_reserved_bytes: int | None


class Candidate(Part):
    """A network that the search trained for ``steps`` steps, ``trainings`` times.

    ``quality`` is measured on held-out images after this short training (accuracy or R2) and ``operations`` are
    effective synaptic operations at the spike rates measured there; all others are estimates of the cost model.
    ``front``: no other candidate is better in everything.
    """

    id: str
    architecture: str
    roles: list[str]
    chosen: bool
    front: bool
    rung: int
    steps: int
    trainings: int
    deviation: float | None
    held_out_images: int
    quality: float
    flash_bytes: int | None
    sram_bytes: int | None
    artifact_bytes: int | None
    latency_ms: float | None
    operations: float | None


class Search(Part):
    """What a search did; ``dropped`` counts networks by the limit that they break, before any forward pass."""

    algorithm: str
    seconds: float
    space: int
    dropped: dict[str, int]
    scored: int
    candidates: list[Candidate]


class CellEdge(Part):
    """An operation from one of a cell's four nodes to a later one; node 0 is the input, node 3 the output."""

    source: int
    target: int
    operation: Literal["skip", "conv1x1", "conv3x3", "avgpool3x3"]


class Block(Part):
    """One block of the path from pixels to scores; a cell has its six digits and its edges."""

    kind: Literal["input", "stem", "cell", "shrink", "pool", "classifier", "head"]
    title: str
    detail: str
    cell: str | None = None
    edges: list[CellEdge] = []


class Architecture(Part):
    """The network in the form that is typed, and block by block."""

    text: str
    space: Literal["spikenas", "snasnet"]
    time_steps: int
    blocks: list[Block]


class Stage(Part):
    """A quality (accuracy or R2) at one stage of the way to the board."""

    stage: str
    part: Literal["validation", "test"]
    value: float
    images: int | None
    evidence: Evidence


class Quality(Part):
    """What qualities are and how they go from float to the artifact in its runtime."""

    measure: Literal["accuracy", "r2"]
    stages: list[Stage]


class Layer(Part):
    """One node of the network. Operations are those of an image; None where there are no weights or spikes yet."""

    name: str
    kind: Literal["neurons", "pool", "read-out"]
    shape: list[int]
    parameters: int | None
    bits: int | None
    macs: int
    dense_acs: int
    effective_acs: int | None
    spike_rate: float | None
    small_thresholds: int | None


class Operations(Part):
    """Totals of an image; ``spiking_images`` were averaged over for what depends on spikes."""

    parameters: int | None
    pixel_macs: int
    head_macs: int
    dense_acs: int
    effective_acs: int | None
    membrane_updates: int
    spiking_images: int | None


class Figure(Part):
    """A number with its unit, its evidence, and where it comes from."""

    name: str
    value: float
    unit: str
    evidence: Evidence
    source: str


class Example(Part):
    """A test image (its index): what it is and what the network says; numbers for a regression.

    ``margin`` is how much higher the highest score is than the one it is to be; 0 where it is right.
    """

    image: int
    target: str
    predicted: str
    right: bool
    margin: float | None = None
    picture: str = Field(default="", exclude=True)


class Confusion(Part):
    """``matrix[i][j]``: images of class i that the network takes for class j."""

    labels: list[str]
    matrix: list[list[int]]
    examples: list[Example]


class Number(Part):
    """One output of a regression: R2, mean |error|, and (target, predicted) of up to 200 images, in its own unit."""

    label: str
    r2: float
    mean_absolute_error: float
    points: list[tuple[float, float]]


class Outputs(Part):
    """What the network says of ``images`` of the test images: the reference's integers, which every artifact gives."""

    images: int
    of_images: int
    evidence: Evidence
    confusion: Confusion | None
    numbers: list[Number]
    examples: list[Example]


class File(Part):
    """An exported file: its name within the run, size and hash."""

    name: str
    size_bytes: int
    sha256: str


class Provenance(Part):
    """What made the run, as far as it got: versions, seeds, hashes."""

    report_version: str
    exported: str | None
    python: str | None
    packages: dict[str, str]
    search_seed: int
    training_seed: int
    data_sha256: str | None
    graph_sha256: str | None
    profile_sha256: str
    targets: list[str]
    files: list[File]


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
