"""How long a stream may last: time steps for which it is proven that nothing overflows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toolchain.graph.bounds import max_count, steps_within_int16
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, as_int

COUNT_MAX = 0xFFFF
"""Largest count of spikes, a uint16."""

SCORE_MAX = (1 << 31) - 1
"""Largest magnitude of a score of a stream, which only the C kernels read out: an int32."""


class StreamLimit(NamedTuple):
    """Most time steps of a stream until it is reset, and ``why`` there are no more."""

    steps: int
    why: str


def stream_limit(graph: Graph) -> StreamLimit:
    """Time steps that a stream of frames through ``graph``, which has weights, may have whatever the frames show.

    A valid network has at least its own time steps; the counts of spikes end every stream at some time. Potentials
    mostly do not, because they leak (``bounds.steps_within_int16``).
    """
    head = graph.head
    positions = max_count(graph) // graph.time_steps
    found = StreamLimit(COUNT_MAX // positions, f"the counts of {head.name} are of 16 bits")
    weight = np.abs(as_int(head.weight, f"{head.name}.weight")).sum(1) * positions
    room = SCORE_MAX - np.abs(as_int(head.bias, f"{head.name}.bias"))
    scores = int(np.where(weight > 0, room // np.maximum(weight, 1), SCORE_MAX).min())
    if scores < found.steps:
        found = StreamLimit(scores, f"the scores of {head.name} are of 32 bits")
    for node in graph.all(Lif):
        steps = steps_within_int16(node, found.steps)
        if steps < found.steps:
            found = StreamLimit(steps, f"the membrane potentials of {node.name} are of 16 bits")
    return found
