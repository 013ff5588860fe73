"""From a model's layers to a Graph and the values of its weights; exact but for what the notes say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.importing.folding import Current, Floats
from toolchain.importing.layers import Layer
from toolchain.importing.pixels import PixelForm
from toolchain.importing.walk import Walk


@dataclass(frozen=True)
class Carried:
    """``graph`` without weights; ``currents`` by neuron and the ``head`` [classes, features], thresholds divided out,
    as values of one time step; ``became`` says layer by layer what it is now, ``notes`` what is not quite the same."""

    graph: Graph
    currents: dict[str, Current]
    head: tuple[Floats, Floats]
    became: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def carry(layers: Sequence[Layer], data: Dataset, time_steps: int, form: PixelForm) -> Carried:
    """The Graph for ``data`` of layers that keep to ``toolchain.importing.rules``.

    Raises ``InputError`` naming the layer that its neighbours, or the data, leave no place for.
    """
    form.require_channels(data.pixels.channels)
    walk = Walk(data, form)
    last = max((i for i, layer in enumerate(layers) if isinstance(layer.module, nn.Linear)), default=-1)
    for index, layer in enumerate(layers):
        walk.take(layer, last=index == last)
    if walk.head is None:
        raise InputError(
            "the model ends without a Linear layer, which gives the scores here; end it with nn.Flatten() and nn.Linear"
        )
    nodes = tuple(walk.nodes)
    frames = data.preprocessing.frames
    if frames not in (1, time_steps):
        raise InputError(f"the data have {frames} frames, one a time step; give --time-steps {frames}")
    graph = Graph(nodes, time_steps, data.preprocessing, data.labels)
    require_valid(graph, "the model")
    return Carried(graph, walk.currents, walk.head, tuple(walk.became), tuple(walk.all_notes()))
