"""The Graph on disk: ``model.json`` holds the structure, ``model.safetensors`` beside it the arrays.

Both files are data only. Reading rebuilds every node from the fields of its class and then runs all
checks, so that what comes out is a valid Graph or an ``InputError``.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from toolchain.errors import InputError
from toolchain.files import read_bytes, read_json, write_atomic, write_json
from toolchain.framing.mapped import reading
from toolchain.framing.safetensors_header import read_header
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph, arrays
from toolchain.graph.nodes import (
    Array,
    Head,
    Input,
    Leak,
    Lif,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
)
from toolchain.graph.preprocessing import Preprocessing

FORMAT = "spikenas-graph/1"
MAX_DESCRIPTION_BYTES = 4 * 1024 * 1024
"""Largest ``model.json`` that is read: thousands of labels or nodes."""
MAX_WEIGHT_BYTES = 256 * 1024 * 1024
"""Largest ``model.safetensors`` that is read: far above any network that int16 potentials allow."""

_NODES = {"input": Input, "lif": Lif, "or_pool": OrPool, "head": Head}
_EDGES = {"pixel_conv": PixelConv, "spike_conv": SpikeConv, "skip": Skip, "pool": Pool}
_TAGS = {kind: tag for tag, kind in (_NODES | _EDGES).items()}


def description(graph: Graph) -> dict[str, Any]:
    """The structure of ``graph`` as plain JSON data, without arrays."""
    return {
        "format": FORMAT,
        "time_steps": graph.time_steps,
        "labels": list(graph.labels),
        "preprocessing": graph.preprocessing.to_dict(),
        "nodes": [_describe(node) for node in graph.nodes],
    }


def save_graph(graph: Graph, folder: Path) -> None:
    """Write ``model.json`` and ``model.safetensors`` into ``folder``, each atomically.

    The description carries the hash of the whole, so a pair from two different writes is refused.
    """
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays(graph) if array is not None}
    write_atomic(folder / "model.safetensors", save(tensors))
    write_json(folder / "model.json", description(graph) | {"sha256": graph.sha256()})


def load_graph(folder: Path) -> Graph:
    """Read a Graph; raises ``InputError`` if a file is missing, broken, or breaks a rule of ``checks``."""
    path = folder / "model.json"
    document = read_json(path, MAX_DESCRIPTION_BYTES)
    content = read_bytes(folder / "model.safetensors", MAX_WEIGHT_BYTES)
    # The library's parser takes headers of hundreds of megabytes.
    with reading(folder / "model.safetensors", "a safetensors"):
        read_header(content)
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{folder / 'model.safetensors'} is not a safetensors file: {error}") from error
    graph = from_description(document, tensors, str(path))
    require_valid(graph, str(path))
    if document.get("sha256") != graph.sha256():
        raise InputError(
            f"{path} and model.safetensors do not belong together; run `spikenas-deploy train` again"
        )
    return graph


def from_description(document: Any, tensors: dict[str, Array], origin: str) -> Graph:
    """Build an unchecked Graph from JSON data and arrays; raises ``InputError`` if the form is wrong."""
    try:
        if document["format"] != FORMAT:
            raise InputError(f"{origin} has the format {document['format']!r}; this version reads {FORMAT!r}")
        nodes = tuple(_build(item, tensors, _NODES, str(item["name"])) for item in document["nodes"])
        return Graph(
            nodes=nodes,
            time_steps=_integer(document["time_steps"]),
            preprocessing=Preprocessing.from_dict(document["preprocessing"]),
            labels=tuple(str(label) for label in document["labels"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{origin} is not a network description: {type(error).__name__} {error}") from error


def _describe(item: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": _TAGS[type(item)]}
    for field in fields(item):
        value = getattr(item, field.name)
        # What says nothing is left out, so that files are what they were before there were frames, numbers and bits.
        if "Array" in str(field.type) or (field.name, value) in (("frames", 1), ("shifts", ()), ("bits", 8)):
            continue
        if field.name == "edges":
            value = [_describe(edge) for edge in value]
        elif isinstance(value, Leak):
            value = {"form": value.form, "shift": value.shift}
        plain[field.name] = list(value) if isinstance(value, tuple) else value
    return plain


def _build(item: dict[str, Any], tensors: dict[str, Array], kinds: dict[str, Any], prefix: str) -> Any:
    kind = kinds[item["type"]]
    known = {field.name: field for field in fields(kind)}
    unknown = set(item) - {name for name, field in known.items() if "Array" not in str(field.type)} - {"type"}
    if unknown:
        raise ValueError(f"{prefix} has unknown fields {sorted(unknown)}")
    values: dict[str, Any] = {}
    for name, field in known.items():
        if "Array" in str(field.type):
            values[name] = tensors.get(f"{prefix}.{name}")
        elif name == "edges":
            values[name] = tuple(
                _build(edge, tensors, _EDGES, f"{prefix}.{index}") for index, edge in enumerate(item[name])
            )
        elif name == "leak":
            values[name] = Leak(str(item[name]["form"]), _integer(item[name]["shift"]))  # type: ignore[arg-type]
        elif name == "shape":
            values[name] = Shape(*map(_integer, item[name]))
        elif name == "frames":
            values[name] = _integer(item.get(name, 1))
        elif name in ("kernel", "stride", "classes"):
            values[name] = _integer(item[name])
        elif name == "shifts":
            values[name] = tuple(map(_integer, item.get(name, ())))
        elif name == "bits":
            values[name] = _integer(item.get(name, 8))
        elif name == "exponent":
            values[name] = None if item[name] is None else _integer(item[name])
        else:
            values[name] = _text(item[name])
    return kind(**values)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{json.dumps(value)} is not an integer")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{json.dumps(value)} is not a text")
    return value
