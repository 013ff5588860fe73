"""What a user names as the network to import: a NIR file, or a model within a Python file."""

from __future__ import annotations

from pathlib import Path

from exporters.nir import hdf5, read
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.importing import nir_network
from toolchain.importing.layers import layers_of
from toolchain.importing.python_file import load_model
from toolchain.importing.run import Brought


def open_source(source: str, weights: Path | None, dt: float) -> Brought | Graph:
    """The model that ``source`` names, ``FILE.py:NAME`` or ``FILE.nir``; a Graph if the file is our own export.

    Raises ``InputError`` if it is missing, broken, or neither.
    """
    file, _, name = source.rpartition(":")
    if file.endswith(".py"):
        origin = f"{Path(file).name}:{name}"
        model = load_model(Path(file), name, weights)
        return Brought(model, layers_of(model, origin), origin)
    path = Path(source)
    if path.suffix == ".py":
        raise InputError(
            f"{source} may hold several models; name the function or model, as in {path.name}:build"
        )
    if path.suffix != ".nir":
        raise InputError(f"{source} is neither FILE.nir nor FILE.py:NAME; give one of these")
    if weights is not None:
        raise InputError(f"{source} has weights of its own; leave --weights out")
    tree = hdf5.read(path)
    if read.own_metadata(tree) is not None:
        return read.graph_of(tree, str(path))[0]
    return Brought(*nir_network.layers_of(tree, str(path), dt), path.name)
