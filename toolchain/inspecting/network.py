"""A run's network: ``model.json`` and, where it is there, ``model.safetensors`` beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from toolchain.files import read_json
from toolchain.framing.parts import Value
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph, arrays
from toolchain.graph.nodes import Lif
from toolchain.graph.storage import MAX_DESCRIPTION_BYTES, from_description, load_graph
from toolchain.inspecting.own_facts import leak_text
from toolchain.inspecting.structure import (
    Kind,
    Neurons,
    Structure,
    Tensor,
    largest_first,
    shares,
)


def inspect_network(path: Path) -> Structure:
    """The structure of the network in ``path``, a model.json.

    Raises ``InputError`` if a file is broken, or the two do not belong together.
    """
    weights = path.with_name("model.safetensors")
    files = [path, *([weights] if weights.exists() else [])]
    if path.name == "model.json" and weights in files:
        graph = load_graph(path.parent)
    else:
        graph = from_description(read_json(path, MAX_DESCRIPTION_BYTES), {}, str(path))
        require_valid(graph, str(path))
    stored = {name: array for name, array in arrays(graph) if array is not None}
    tensors = largest_first(
        Tensor(name, str(array.dtype), array.shape, array.nbytes, _kind(name))
        for name, array in stored.items()
    )
    size = sum(file.stat().st_size for file in files)
    counted = [(tensor.kind, tensor.size_bytes) for tensor in tensors]
    return Structure(
        path,
        "network of this toolchain",
        size,
        (Value("image", "uint8", graph.input.extents),),
        (Value("scores", "int32", (graph.head.classes,)),),
        tuple(Value(f"{node.name}.potential", "int16", tuple(node.shape)) for node in graph.all(Lif)),
        _operators(graph),
        tensors,
        shares(size, counted),
        _neurons(graph),
        facts={
            "graph_sha256": graph.sha256(),
            "time_steps": graph.time_steps,
            "task": graph.task,
            "labels": list(graph.labels),
            "preprocessing": graph.preprocessing.to_dict(),
        },
        notes=() if stored else ("the network has no weights yet",),
    )


def _operators(graph: Graph) -> dict[str, int]:
    names = [type(node).__name__ for node in graph.nodes]
    names += [type(edge).__name__ for node in graph.all(Lif) for edge in node.edges]
    return dict(Counter(names).most_common())


def _neurons(graph: Graph) -> tuple[Neurons, ...]:
    return tuple(
        Neurons(
            node.name,
            leak_text(node.leak.form, node.leak.shift),
            node.reset,
            (int(np.min(node.exponent)), int(np.max(node.exponent))),
            (int(np.min(node.threshold)), int(np.max(node.threshold))),
        )
        for node in graph.all(Lif)
        if node.exponent is not None and node.threshold is not None
    )


def _kind(name: str) -> Kind:
    kinds: dict[str, Kind] = {"weight": "weights", "bias": "biases"}
    return kinds.get(name.rpartition(".")[2], "constants")
