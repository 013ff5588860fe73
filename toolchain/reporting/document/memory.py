"""What lies where in the board's memories, and the proofs of the prediction."""

from __future__ import annotations

from typing import Literal

from toolchain.reporting.document.part import Evidence, Part


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
        "copies",
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
