"""A NIR file's structure, whoever wrote it; HDF5 is read by a process of its own, with limits (``exporters.nir``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters import metadata
from exporters.nir import hdf5
from exporters.nir.read import own_metadata
from toolchain.errors import InputError
from toolchain.framing.parts import Value
from toolchain.inspecting.own_facts import neurons
from toolchain.inspecting.structure import Kind, Structure, Tensor, largest_first, shares

STATEFUL = ("IF", "LIF", "CubaLIF", "LI", "CubaLI", "I")
"""NIR's nodes that keep a state from one time step to the next."""


def inspect_nir(path: Path) -> Structure:
    """The structure of ``path``; raises ``InputError`` if it is no NIR file, or hostile, ``ToolMissingError`` without
    h5py."""
    tree = hdf5.read(path)
    nodes = _nodes(tree, path)
    types = {name: str(node.get("type", "no type")) for name, node in nodes.items()}
    tensors = largest_first(
        Tensor(name, str(array.dtype), array.shape, array.nbytes, _kind(name))
        for name, array in _arrays(nodes, "")
    )
    size, own = path.stat().st_size, own_metadata(tree)
    facts = (
        {} if own is None else metadata.parse(metadata.from_json(str(own.get("facts")), str(path)), str(path))
    )
    counted = [(tensor.kind, tensor.size_bytes) for tensor in tensors]
    fits = sum(count for _, count in counted) <= size
    return Structure(
        path,
        "NIR",
        size,
        tuple(_end(name, node) for name, node in nodes.items() if types[name] == "Input"),
        tuple(_end(name, node) for name, node in nodes.items() if types[name] == "Output"),
        tuple(_state(name, node) for name, node in nodes.items() if types[name] in STATEFUL),
        dict(Counter(types.values()).most_common()),
        tensors,
        shares(size, counted if fits else []),
        neurons(facts, str(path)) if facts else (),
        facts={"version": str(tree.get("version", "")), **facts},
        notes=() if fits else ("arrays are compressed; their bytes are those that they unpack to",),
    )


def _nodes(tree: Mapping[str, Any], path: Path) -> dict[str, Mapping[str, Any]]:
    inner: Any = tree
    for name in ("node", "nodes"):
        inner = inner.get(name) if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not all(isinstance(node, Mapping) for node in inner.values()):
        raise InputError(f"{path} is HDF5, but holds no NIR graph; export it again, or give another file")
    return dict(sorted(inner.items()))


def _arrays(items: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in items.items():
        if isinstance(value, Mapping):
            yield from _arrays(value, f"{prefix}{name}.")
        elif isinstance(value, np.ndarray):
            yield prefix + name, value


def _end(name: str, node: Mapping[str, Any]) -> Value:
    return Value(name, "float32", tuple(int(extent) for extent in np.ravel(node.get("shape", ()))))


def _state(name: str, node: Mapping[str, Any]) -> Value:
    threshold = node.get("v_threshold", node.get("tau", node.get("r")))
    return Value(f"{name}.potential", "float32", np.shape(threshold) if threshold is not None else ())


def _kind(name: str) -> Kind:
    last = name.rpartition(".")[2]
    if ".metadata." in name:
        return "metadata"
    return {"weight": "weights", "bias": "biases"}.get(last, "constants")  # type: ignore[return-value]
