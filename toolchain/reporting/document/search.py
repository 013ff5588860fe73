"""What a search did, and the networks that it trained."""

from __future__ import annotations

from toolchain.reporting.document.part import Part


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
