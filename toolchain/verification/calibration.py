"""From what was measured on a board to the ``[calibration]`` of its profile, which estimates are then made with.

Each number is a ratio that makes the estimate of the very artifact that was measured equal to the measurement; for
other networks it stays an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from toolchain import __version__
from toolchain.cost.artifacts import image_macs, memory_bytes
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.microcontroller import image_instructions
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Calibration, Profile

TARGETS = {"model.onnx": ("onnx", "cpu"), "model.tflite": ("tflite", "linux")}
"""Artifact -> what its keys begin with, and its target in the cost model."""


@dataclass(frozen=True)
class Taken:
    """What one image took on the board: microseconds (the median), and bytes above the bare runtime where it tells."""

    latency_us: int
    resident_bytes: int | None


def linux_calibration(
    graph: Graph, board: str, taken: Mapping[str, Taken], today: date | None = None
) -> Calibration:
    """The calibration from the artifacts of ``graph`` that were measured on the Linux ``board``, by their file names.

    Only those of ``TARGETS`` have an estimate. Raises ``InputError`` if none of them was measured.
    """
    demand, numbers = graph_demand(graph), {}
    for name, measured in taken.items():
        if name not in TARGETS or measured.latency_us <= 0:
            continue
        key, target = TARGETS[name]
        numbers[f"{key}_macs_per_second"] = float(image_macs(demand)) / (measured.latency_us / 1e6)
        if measured.resident_bytes:
            numbers[f"{key}_resident_factor"] = measured.resident_bytes / float(memory_bytes(demand, target))
    if not numbers:
        raise InputError(
            f"nothing was measured on {board} that the estimates can be calibrated with; that takes "
            f"{' or '.join(TARGETS)}"
        )
    return _calibration(graph, board, ", ".join(name for name in taken if name in TARGETS), numbers, today)


def firmware_calibration(
    graph: Graph,
    profile: Profile,
    board: str,
    artifact: str,
    cycles: float,
    instructions: float,
    today: date | None = None,
) -> Calibration:
    """The calibration from the firmware ``artifact`` of ``graph`` on the microcontroller ``board``.

    ``cycles`` of an image are measured there, ``instructions`` of the same image counted by the emulator; of several
    images, both are means. Cycles of a board that only tells a time are that time times ``profile.clock_hz``.
    Raises ``InputError`` unless both are above 0.
    """
    if cycles <= 0 or instructions <= 0 or profile.core is None:
        raise InputError(
            f"{artifact} on {board}: {cycles:g} cycles for {instructions:g} instructions calibrate nothing; measure it"
            " again"
        )
    predicted = float(image_instructions(graph_demand(graph), profile.core))
    numbers = {
        "cycles_per_instruction": cycles / instructions,
        "cycles_per_estimated_instruction": cycles / predicted,
    }
    return _calibration(graph, board, artifact, numbers, today)


def _calibration(
    graph: Graph, board: str, artifacts: str, numbers: Mapping[str, float], today: date | None
) -> Calibration:
    day = (today or date.today()).isoformat()
    return Calibration(
        board=board,
        measured_on=day,
        source=(
            f"measured on {board} with {artifacts} of the network {graph.sha256()[:12]}, {day}, by spikenas-deploy "
            f"{__version__}"
        ),
        **numbers,
    )
