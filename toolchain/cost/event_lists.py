"""What a layer's lists of events hold, counted from spikes: how often the firmware's kernels add rows of weights.

The kernels work on two time steps at once, and have two ways to list the neurons that fired. *Apart*, each time step
has a list of its own. *Shared*, the neurons that fired in both are on a third list, whose rows are added once for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.packing import BLOCK
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, SpikeConv

STEPS = 2
"""Time steps that the kernels work on at once."""

CALIBRATION_IMAGES = 32
"""Images whose spikes are counted, at most; spread over all that there are."""

Planes = NDArray[np.bool_]
"""Neurons of one kind at one time, [n, C, H, W]."""


@dataclass(frozen=True)
class Lists:
    """Sums over images, positions and time steps: ``rows`` of weights that a block of 16 output channels adds,
    ``events`` (words of up to 32 rows) that name them, ``lists`` that are not empty."""

    rows: int = 0
    events: int = 0
    lists: int = 0

    def __add__(self, other: Lists) -> Lists:
        return Lists(self.rows + other.rows, self.events + other.events, self.lists + other.lists)


@dataclass(frozen=True)
class LayerEvents:
    """What ``images`` made a layer's lists hold, under both ways to list; see the module.

    ``spikes`` of ``neurons``, the neurons times time steps that its convolutions read, fired; ``both`` of ``pairs``,
    neurons times pairs of time steps, fired in both.
    """

    images: int
    neurons: int
    spikes: int
    pairs: int
    both: int
    apart: Lists
    shared: Lists

    @property
    def spike_rate(self) -> float:
        """Spikes a neuron and time step."""
        return self.spikes / self.neurons

    @property
    def both_rate(self) -> float:
        """Share of neurons that fire in both of two time steps; 0 if there is one time step."""
        return self.both / self.pairs if self.pairs else 0.0

    def __add__(self, other: LayerEvents) -> LayerEvents:
        return LayerEvents(
            self.images + other.images,
            self.neurons + other.neurons,
            self.spikes + other.spikes,
            self.pairs + other.pairs,
            self.both + other.both,
            self.apart + other.apart,
            self.shared + other.shared,
        )


def calibrated(graph: Graph, images: NDArray[np.uint8]) -> dict[str, LayerEvents]:
    """What up to ``CALIBRATION_IMAGES`` of ``images`` (at least one), in the order of the nodes, by their names.

    ``images``: uint8 [n, C, H, W], or [n, T, C, H, W]. Nodes without convolutions of spikes are left out. Raises as
    ``reference.traces`` does.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, CALIBRATION_IMAGES).round().astype(int))
    found: dict[str, LayerEvents] = {}
    for trace in reference.traces(graph, images[chosen]):
        for node in graph.all(Lif):
            if convolutions(node):
                events = layer_events(graph, node, trace.spikes)
                found[node.name] = found[node.name] + events if node.name in found else events
    return found


def convolutions(node: Lif) -> list[SpikeConv]:
    """The edges of ``node`` whose rows of weights are added."""
    return [edge for edge in node.edges if isinstance(edge, SpikeConv)]


def layer_events(graph: Graph, node: Lif, spikes: Mapping[str, NDArray[np.uint8]]) -> LayerEvents:
    """What the ``spikes`` uint8 [T, n, C, H, W] of every node make of the lists of ``node``, which has convolutions."""
    maps = {edge.source: spikes[edge.source].astype(bool) for edge in convolutions(node)}
    apart, shared, both_spikes = Lists(), Lists(), 0
    for t in range(0, graph.time_steps, STEPS):
        first = {source: planes[t] for source, planes in maps.items()}
        if t + 1 == graph.time_steps:
            alone = lists_of(node, first)
            apart, shared = apart + alone, shared + alone
            break
        second = {source: planes[t + 1] for source, planes in maps.items()}
        both = {source: first[source] & second[source] for source in maps}
        shared += lists_of(node, both)
        both_spikes += _count(both)
        for step in (first, second):
            apart += lists_of(node, step)
            shared += lists_of(node, {source: step[source] & ~both[source] for source in maps})
    sources = [planes[0] for planes in maps.values()]
    neurons = sum(plane.size for plane in sources)
    return LayerEvents(
        images=len(sources[0]),
        neurons=neurons * graph.time_steps,
        spikes=_count(maps),
        pairs=neurons * (graph.time_steps // STEPS),
        both=both_spikes,
        apart=apart,
        shared=shared,
    )


def _count(planes: Mapping[str, Planes]) -> int:
    return sum(int(np.count_nonzero(each)) for each in planes.values())


def lists_of(node: Lif, planes: Mapping[str, Planes]) -> Lists:
    """One list at each position of ``node``, of the neurons in ``planes``, by source."""
    rows = 0
    events = np.zeros((len(next(iter(planes.values()))), node.shape.height, node.shape.width), np.int64)
    for edge in convolutions(node):
        plane = planes[edge.source]
        rows += int(_in_windows(node, edge, _per_row(node, edge, plane)).sum())
        events += _in_windows(node, edge, _words(node, edge, plane))
    return Lists(rows, int(events.sum()), int(np.count_nonzero(events)))


def _per_row(node: Lif, edge: SpikeConv, plane: Planes) -> NDArray[np.int64]:
    """Neurons of each row of the source within the columns of the window at each x: [n, H, W of ``node``]."""
    counts = plane.sum(axis=1, dtype=np.int64)
    ends = np.pad(counts.cumsum(axis=2), ((0, 0), (0, 0), (1, 0)))
    first, end = _window(edge, node.shape.width, plane.shape[3])
    result: NDArray[np.int64] = ends[:, :, end] - ends[:, :, first]
    return result


def _words(node: Lif, edge: SpikeConv, plane: Planes) -> NDArray[np.int64]:
    """The same for words that are not zero: of two blocks, one behind the other as the kernels read them."""
    images, channels, height, width = plane.shape
    padded = np.pad(plane, ((0, 0), (0, -channels % BLOCK), (0, 0), (0, 0)))
    blocks = padded.reshape(images, -1, BLOCK, height, width).any(axis=2).transpose(0, 2, 3, 1)
    # Where the last block is a broken one, each column begins a word of its own.
    whole = channels % BLOCK == 0
    columns = []
    for first, end in zip(*_window(edge, node.shape.width, width), strict=True):
        seen = blocks[:, :, first:end]
        run = seen.reshape(images, height, 1, -1) if whole else seen
        even, odd = run[..., 0::2], run[..., 1::2]
        both = even.copy()
        both[..., : odd.shape[-1]] |= odd
        columns.append(both.sum(axis=(2, 3), dtype=np.int64))
    return np.stack(columns, axis=2)


def _in_windows(node: Lif, edge: SpikeConv, per_row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of ``per_row`` [n, H, W'] over the rows of the window at each y: [n, H', W']."""
    ends = np.pad(per_row.cumsum(axis=1), ((0, 0), (1, 0), (0, 0)))
    first, end = _window(edge, node.shape.height, per_row.shape[1])
    result: NDArray[np.int64] = ends[:, end] - ends[:, first]
    return result


def _window(edge: SpikeConv, positions: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row or column, and the one behind the last, that the window at each of ``positions`` sees."""
    start = np.arange(positions) * edge.stride - edge.kernel // 2
    return np.clip(start, 0, size), np.clip(start + edge.kernel, 0, size)
