"""Reading back what ``exporters.nir`` wrote: the same Graph, integer for integer, or a refusal.

The file says the structure as metadata and the numbers in NIR's nodes. Both are believed only together: the network
that they give is lowered anew, and every node must come out as it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters import metadata
from exporters.nir import hdf5
from exporters.nir.lowering import KEY, current_factor, edge_factor, head_factors, lower
from exporters.nir.names import edge_name
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, Node, PixelConv, SpikeConv
from toolchain.graph.storage import from_description

AGAIN = "export it again"
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def load(path: Path) -> tuple[Graph, dict[str, Any]]:
    """The network of a file of this exporter, and its facts (see ``exporters.metadata``).

    Raises ``InputError`` if it is missing, broken or foreign, ``ToolMissingError`` without the nir package.
    """
    return graph_of(hdf5.read(path), str(path))


def graph_of(tree: hdf5.Tree, origin: str) -> tuple[Graph, dict[str, Any]]:
    """As ``load``, for a file that was read as ``tree`` from ``origin``."""
    own = own_metadata(tree)
    facts = metadata.parse(
        None if own is None else metadata.from_json(_text(own.get("facts")), origin), origin
    )
    assert own is not None  # or there would have been no facts
    described = metadata.from_json(_text(own.get("graph")), origin)
    graph = from_description(described, {}, origin)
    require_valid(graph, origin)
    try:
        with np.errstate(all="ignore"):
            graph = _with_integers(graph, tree["node"]["nodes"])
    except _BROKEN as error:
        raise InputError(f"{origin} has nodes that do not fit its description; {AGAIN}") from error
    require_valid(graph, origin, weights=True)
    _require_same(graph, facts["profile"], tree, origin)
    if facts["graph_sha256"] != graph.sha256():
        raise InputError(f"{origin} holds another network than it says; {AGAIN}")
    return graph, facts


def own_metadata(tree: hdf5.Tree) -> hdf5.Tree | None:
    """What this exporter noted of the whole network, or None in a file from elsewhere."""
    found: Any = tree
    for name in ("node", "metadata", KEY):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else None


def _with_integers(graph: Graph, nodes: hdf5.Tree) -> Graph:
    read: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            node = _lif(node, nodes)
        elif isinstance(node, Head):
            node = _head(replace(graph, nodes=(*graph.nodes[:-1], node)), nodes[node.name])
        read.append(node)
    return replace(graph, nodes=tuple(read))


def _lif(node: Lif, nodes: hdf5.Tree) -> Lif:
    own = nodes[node.name]["metadata"][KEY]
    # Factors divide by thresholds, which the checks look at only when all is there.
    threshold = _array(own["threshold"], np.int16)
    if threshold.shape != (node.shape.channels,) or int(threshold.min()) < 1:
        raise ValueError("a threshold is at least 1")
    exponent, shift = _array(own["exponent"], np.uint8), own.get("code_shift")
    node = replace(node, threshold=threshold, exponent=exponent)
    factor = current_factor(node)
    edges = []
    for index, edge in enumerate(node.edges):
        found = nodes[edge_name(node.name, index, edge)]
        if isinstance(edge, PixelConv):
            edge = replace(edge, rounding=_array(found["metadata"][KEY]["rounding"], np.uint8))
        if isinstance(edge, PixelConv | SpikeConv):
            scale = (edge_factor(node, edge) * factor).reshape(-1, 1, 1, 1)
            edge = replace(edge, weight=_integers(found["weight"], scale, np.int8))
        edges.append(edge)
    bias = _integers(nodes[edge_name(node.name, 0, node.edges[0])]["bias"], factor, np.int16)
    return replace(
        node,
        edges=tuple(edges),
        bias=bias,
        code_shift=None if shift is None else _array(shift, np.uint8),
    )


def _head(graph: Graph, found: hdf5.Tree) -> Head:
    head, shift = graph.head, found["metadata"][KEY].get("code_shift")
    weight_factor, bias_factor = head_factors(graph)
    return replace(
        head,
        weight=_integers(found["weight"], weight_factor[:, np.newaxis], np.int8),
        bias=_integers(found["bias"], bias_factor, np.int32),
        code_shift=None if shift is None else _array(shift, np.uint8),
    )


def _integers(values: Any, factor: NDArray[np.float64], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    """``values`` / ``factor`` to the nearest integers; ``ValueError`` if ``dtype`` does not hold them."""
    found = np.rint(np.asarray(values, np.float64) / factor)
    limits = np.iinfo(dtype)
    if not (np.isfinite(found).all() and found.min() >= limits.min and found.max() <= limits.max):
        raise ValueError("weights out of range")
    return found.astype(dtype)


def _array(values: Any, dtype: type[np.integer[Any]]) -> NDArray[Any]:
    if not isinstance(values, np.ndarray) or values.dtype != dtype:
        raise ValueError("an array of another type")
    return values


def _require_same(graph: Graph, profile: str, tree: hdf5.Tree, origin: str) -> None:
    """Raise ``InputError`` unless the file's nodes and edges are those of ``graph``."""
    wanted = lower(graph, profile).to_dict()
    found = tree["node"]
    for part in ("nodes", "edges", "type"):
        if not _same(wanted[part], found.get(part)):
            raise InputError(f"{origin} has other {part} than its description says; {AGAIN}")


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping):
        kept = {name: value for name, value in wanted.items() if not (name == "metadata" and value == {})}
        return (
            isinstance(found, Mapping)
            and kept.keys() == found.keys()
            and all(_same(value, found[name]) for name, value in kept.items())
        )
    if isinstance(wanted, str):
        return bool(found == wanted)
    if isinstance(wanted, list) and wanted and isinstance(wanted[0][0], str):
        return isinstance(found, list) and [list(each) for each in wanted] == found
    return isinstance(found, np.ndarray) and np.array_equal(np.asarray(wanted), found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
