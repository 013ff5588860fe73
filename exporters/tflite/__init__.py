"""TFLite files for Linux boards: float32 arithmetic over int8-stored weights, exact by construction.

Weights of 4 and 2 bits take a byte each here too: interpreters have no portable operator that reads less.
"""

from __future__ import annotations

from pathlib import Path

from exporters.metadata import write_artifact
from exporters.tflite.unrolled import build
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

FILE = "model.tflite"

__all__ = ["FILE", "build", "export"]


def export(graph: Graph, profile: Profile, folder: Path) -> list[Path]:
    """Write ``model.tflite`` (all time steps) into ``folder``.

    Raises ``InputError`` if the graph is invalid or untrained, or the board has no TFLite interpreter.
    """
    require_valid(graph, "the network", weights=True)
    # A microcontroller's profile has no runtime at all; its file is for desktops.
    if profile.runtime is not None and profile.runtime.tflite_package is None:
        raise InputError(
            f"profile {profile.name} names no TFLite interpreter that installs on its board; "
            f"export {' or '.join(profile.default_formats)} instead"
        )
    write_artifact(folder / FILE, build(graph, profile.name))
    return [folder / FILE]
