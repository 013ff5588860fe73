"""Graph -> NIR: one time step of the network as NIR nodes, and what NIR has no words for as metadata beside them.

The numbers in NIR's nodes are the network's own integers times factors that the metadata give, so nothing is stored
twice and ``read`` gets every integer back by rounding.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters import metadata
from exporters.nir.convention import DT, OR_THRESHOLD, PIXEL_UNIT, THRESHOLD, steps
from exporters.nir.names import OUTPUT, edge_name, flatten_name, sum_name
from toolchain.errors import ToolMissingError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Input, Lif, OrPool, PixelConv, Pool, Shape, Skip, as_int
from toolchain.graph.storage import description

KEY = "spikenas"
"""The group, in the metadata of the graph and of nodes, that holds what is ours."""

NOTES = (
    "One time step; pixels are q / 256, and the scores are the outputs summed over all time steps.",
    "The integer neuron takes the floor of its leak, fires at u >= threshold and resets by what its metadata say; "
    "NIR's leak is real-valued, and its reset is to zero.",
    "Currents of pixels are rounded once to integers (metadata: rounding); NIR has no rounding.",
)
"""What a reader elsewhere should know; stored in the file."""

Floats = NDArray[np.float64]


def lower(graph: Graph, profile: str) -> Any:
    """The ``nir.NIRGraph`` of ``graph`` for the board ``profile``; raises ``ToolMissingError`` without nir."""
    nir = import_nir()
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    for node in graph.nodes:
        if isinstance(node, Input):
            nodes[node.name] = nir.Input({"input": np.array(node.shape)})
        elif isinstance(node, Lif):
            _add_lif(nir, graph, node, nodes, edges)
        elif isinstance(node, OrPool):
            _add_or_pool(nir, node, nodes, edges)
        else:
            _add_head(nir, graph, node, nodes, edges)
    own = {
        "facts": json.dumps(metadata.facts(graph, profile, "step")),
        "graph": json.dumps(description(graph)),
        "notes": "\n".join(NOTES),
        "time_steps": graph.time_steps,
        "dt": DT,
        "pixel_unit": PIXEL_UNIT,
    }
    # h5py takes texts of one type only, and numpy's are another.
    named = [(str(source), str(target)) for source, target in edges]
    return nir.NIRGraph(nodes, named, metadata={KEY: own})


def import_nir() -> Any:
    """The ``nir`` package; raises ``ToolMissingError`` if it is not installed."""
    try:
        import nir
    except ImportError as error:
        raise ToolMissingError(
            f"NIR cannot be written or read ({error}); install it with `pip install 'spikenas-deploy[nir]'`"
        ) from error
    return nir


def edge_weight(node: Lif, edge: Edge) -> NDArray[np.int64]:
    """Integer weight [out, in, k, k] of the convolution that does what ``edge`` does; 1 where it is a constant."""
    if isinstance(edge, Skip | Pool):
        side = 3 if isinstance(edge, Pool) else 1
        diagonal = np.eye(node.shape.channels, dtype=np.int64)[:, :, np.newaxis, np.newaxis]
        return np.broadcast_to(diagonal, (*diagonal.shape[:2], side, side))
    return as_int(edge.weight, f"{node.name}.weight")


def edge_factor(node: Lif, edge: Edge) -> Floats:
    """What ``edge_weight`` is multiplied by in each output channel [out], without the factor of all currents."""
    if isinstance(edge, PixelConv):
        rounding = as_int(edge.rounding, f"{node.name}.rounding")
        return np.exp2(-rounding.astype(np.float64)) / PIXEL_UNIT
    exponent = as_int(node.exponent, f"{node.name}.exponent").astype(np.float64)
    if isinstance(edge, Pool):
        return np.exp2(exponent - 3)
    return np.exp2(exponent) if isinstance(edge, Skip) else np.ones_like(exponent)


def current_factor(node: Lif) -> Floats:
    """What every current of ``node`` is multiplied by in each channel [out]."""
    threshold = as_int(node.threshold, f"{node.name}.threshold")
    return steps(node.leak) / threshold.astype(np.float64)


def head_factors(graph: Graph) -> tuple[Floats, Floats]:
    """What the head's weights and its bias are multiplied by [classes]; the bias is added in every time step."""
    unit = np.exp2(-np.array(graph.score_exponents(), np.float64))
    return unit, unit / graph.time_steps


def _add_lif(nir: Any, graph: Graph, node: Lif, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    factor = current_factor(node)
    bias = as_int(node.bias, f"{node.name}.bias") * factor
    for index, edge in enumerate(node.edges):
        weight = edge_weight(node, edge) * (edge_factor(node, edge) * factor).reshape(-1, 1, 1, 1)
        kernel = weight.shape[2]
        name, source = edge_name(node.name, index, edge), graph.source_shape(edge.source)
        rounding = {KEY: {"rounding": edge.rounding}} if isinstance(edge, PixelConv) else {}
        nodes[name] = nir.Conv2d(
            input_shape=(source.height, source.width),
            weight=weight.astype(np.float32),
            stride=(edge.stride, edge.stride) if hasattr(edge, "stride") else (1, 1),
            padding=(kernel // 2, kernel // 2),
            dilation=(1, 1),
            groups=1,
            # The node has one bias, whichever edge it comes with.
            bias=(bias if index == 0 else np.zeros_like(bias)).astype(np.float32),
            metadata=rounding,
        )
        edges += [(edge.source, name), (name, node.name)]
    own: dict[str, Any] = {
        "leak": node.leak.form,
        "leak_shift": node.leak.shift,
        "reset": node.reset,
        "threshold": node.threshold,
        "exponent": node.exponent,
        "bits": node.bits,
    }
    if node.code_shift is not None:
        own["code_shift"] = node.code_shift
    nodes[node.name] = _neurons(nir, node.shape, steps(node.leak), THRESHOLD, {KEY: own})


def _add_or_pool(nir: Any, node: OrPool, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    name = sum_name(node.name)
    nodes[name] = _sum(nir, 2, 2)
    nodes[node.name] = _neurons(nir, node.shape, 1.0, OR_THRESHOLD, {KEY: {"stands_for": "max pooling 2x2"}})
    edges += [(node.source, name), (name, node.name)]


def _add_head(
    nir: Any, graph: Graph, head: Head, nodes: dict[str, Any], edges: list[tuple[str, str]]
) -> None:
    shape, last = graph.source_shape(head.source), head.source
    if head.features == "count":
        last = sum_name(head.name)
        nodes[last] = _sum(nir, shape.height, shape.width)
        edges.append((head.source, last))
        shape = Shape(shape.channels, 1, 1)
    flatten = flatten_name(head.name)
    nodes[flatten] = nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
    weight_factor, bias_factor = head_factors(graph)
    own: dict[str, Any] = {"exponent": head.exponent, "features": head.features, "bits": head.bits}
    if head.code_shift is not None:
        own["code_shift"] = head.code_shift
    nodes[head.name] = nir.Affine(
        weight=(as_int(head.weight, "head") * weight_factor[:, np.newaxis]).astype(np.float32),
        bias=(as_int(head.bias, "head") * bias_factor).astype(np.float32),
        metadata={KEY: own},
    )
    nodes[head.name + OUTPUT] = nir.Output({"output": np.array([head.classes])})
    edges += [(last, flatten), (flatten, head.name), (head.name, head.name + OUTPUT)]


def _sum(nir: Any, height: int, width: int) -> Any:
    sides = np.array([height, width])
    return nir.SumPool2d(kernel_size=sides, stride=sides, padding=np.array([0, 0]))


def _neurons(nir: Any, shape: Shape, tau_steps: float, threshold: float, own: dict[str, Any]) -> Any:
    """A LIF node with every parameter in the shape of the map, which NIR takes the shape from."""
    return nir.LIF(
        # In float64, in which dt / tau is the power of two that it should be.
        tau=np.full(shape, DT * tau_steps),
        r=np.ones(shape, np.float32),
        v_leak=np.zeros(shape, np.float32),
        v_threshold=np.full(shape, threshold, np.float32),
        v_reset=np.zeros(shape, np.float32),
        metadata=own,
    )
