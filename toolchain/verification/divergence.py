"""Where a runtime's spikes first differ from the reference's: which node, when, and at which neuron.

A node's spikes depend on those of the nodes before it, so the first node that differs, in the order of the graph, is
where the fault is; if no spike differs and a score does, it is the read-out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph

Spikes = Mapping[str, NDArray[np.uint8]]
"""Node -> uint8 [T, n, C, H, W]."""


@runtime_checkable
class Traceable(Protocol):
    """A runtime that can show the spikes inside an artifact."""

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes]."""
        ...

    def spikes(self, images: NDArray[np.uint8], nodes: Sequence[str], time_steps: int) -> Spikes:
        """Spikes uint8 [T, n, C, H, W] of ``nodes`` while it runs ``images``, as its own kernels compute them.

        Raises ``InputError`` if the artifact has no such values.
        """
        ...


@dataclass(frozen=True)
class Divergence:
    """The first spike of ``node`` that differs, of ``differing`` of ``spikes``, for one image.

    Where all spikes agree, ``node`` is the head, and place and time are None.
    """

    image: int
    node: str
    time_step: int | None
    channel: int | None
    row: int | None
    column: int | None
    expected: int | None
    got: int | None
    differing: int
    spikes: int

    @property
    def sentence(self) -> str:
        """Where it is, as the end of a sentence."""
        if self.time_step is None:
            return f"all spikes of image {self.image} agree, so {self.node} (the read-out) differs"
        return (
            f"spikes of image {self.image} first differ in {self.node}, at time step {self.time_step}, channel "
            f"{self.channel}, row {self.row}, column {self.column}: {self.got} instead of {self.expected}"
        )


def divergence(graph: Graph, runtime: Traceable, images: NDArray[np.uint8], image: int) -> Divergence | None:
    """Where ``runtime``'s spikes first differ when it runs image number ``image`` of ``images`` alone.

    None if the artifact does not show its spikes, or gives the reference's scores when it runs the image alone.
    """
    one = images[image : image + 1]
    (trace,) = reference.traces(graph, one)
    try:
        found = runtime.spikes(one, list(trace.spikes), graph.time_steps)
    except InputError:
        # Another network's file, whose integers have been told.
        return None
    for node, expected in trace.spikes.items():
        got = found[node]
        if got.shape != expected.shape:
            return None
        where = np.argwhere(got != expected)
        if len(where):
            there = tuple(int(index) for index in where[0])
            step, _, channel, row, column = there
            return Divergence(
                image,
                node,
                step,
                channel,
                row,
                column,
                int(expected[there]),
                int(got[there]),
                len(where),
                expected.size,
            )
    if np.array_equal(runtime.scores(one), trace.scores):
        return None
    return Divergence(image, graph.head.name, None, None, None, None, None, None, 0, 0)
