"""The network: its blocks, its layers, how good it is and what it costs."""

from __future__ import annotations

from typing import Literal

from toolchain.reporting.document.part import Evidence, Part


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
    """What qualities are and how they go from float to the artifact in its runtime.

    ``at_chance``: on the test set the trained network is no better than a constant output.
    """

    measure: Literal["accuracy", "r2"]
    at_chance: bool
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
