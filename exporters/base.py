"""What every exporter provides; one sub-package a format, found through ``exporter``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol

from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

FORMATS = ("c", "onnx", "tflite")
"""Names of the formats; ``exporters.<name>`` is the sub-package that writes it."""


class Exporter(Protocol):
    """A sub-package of ``exporters``: it lowers a Graph with weights to files that a runtime loads."""

    def export(self, graph: Graph, profile: Profile, folder: Path) -> list[Path]:
        """Write the artifacts into ``folder`` under stable names, atomically, and return their paths.

        Raises ``InputError`` if the profile's runtime cannot load what this network needs.
        """
        ...


def exporter(name: str) -> Exporter:
    """Return the exporter of format ``name``; raises ``InputError`` naming the known ones."""
    if name not in FORMATS:
        raise InputError(f"no exporter writes {name!r}; the formats are {', '.join(FORMATS)}")
    module: Exporter = import_module(f"exporters.{name}")
    return module
