"""NIR, the exchange format of spiking networks: ``model.nir``, which other simulators read, and which is read back
here with every integer. ``docs/concepts/nir.md`` tells what others make of it."""

from __future__ import annotations

import io
from pathlib import Path

from exporters.metadata import write_artifact
from exporters.nir.lowering import NOTES, import_nir, lower
from exporters.nir.read import load
from exporters.nir.unpack import MAX_BYTES
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.profiles.schema import Profile

FILE = "model.nir"

BYTES_A_NEURON = 24
"""Of the five parameters in NIR's nodes."""

__all__ = ["FILE", "NOTES", "build", "export", "load"]


def build(graph: Graph, profile: str) -> bytes:
    """The file's content. Raises ``InputError`` if the network is larger than what is read back."""
    neurons = sum(node.shape.size for node in graph.all(Lif))
    if neurons * BYTES_A_NEURON > MAX_BYTES // 2:
        raise InputError(
            f"the network has {neurons:,} neurons, and NIR stores {BYTES_A_NEURON} bytes of each; export another format"
        )
    stream = io.BytesIO()
    import_nir().write(stream, lower(graph, profile))
    return stream.getvalue()


def export(graph: Graph, profile: Profile, folder: Path) -> list[Path]:
    """Write ``model.nir`` (one time step) into ``folder``.

    Raises ``InputError`` if the graph is invalid, untrained or too large, ``ToolMissingError`` without nir.
    """
    require_valid(graph, "the network", weights=True)
    write_artifact(folder / FILE, build(graph, profile.name))
    return [folder / FILE]
