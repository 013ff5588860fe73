"""A run's board and data, what it does not have yet, and what made it."""

from __future__ import annotations

from toolchain.reporting.document.part import Part


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
