"""The numpy integer interpreter: the definition of what a Graph computes.

It is written for obviousness, step-major, one operation a function. No operation of it is shared with the
torch network, the exporters or the kernels that are compared with it, but two helpers are with the
exporters: ``as_int``, which reads a node's array, and ``round_half_up``. Sums of products go through float64
matrix multiplication, which is exact here: all are integers below 2**24, far under 2**53.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.bounds import round_half_up
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Input, Lif, OrPool, PixelConv, Pool, Skip, as_int

BATCH = 64
"""Images interpreted at once; bounds memory, has no effect on the result."""

Integers = NDArray[np.int64]
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Trace:
    """What a batch of ``n`` images did: ``scores`` int32 [n, classes]; each node's ``spikes`` uint8 [T, n, C, H, W]."""

    scores: NDArray[np.int32]
    spikes: dict[str, NDArray[np.uint8]]


def scores(graph: Graph, images: Images) -> NDArray[np.int32]:
    """Return the scores of ``images`` (uint8 [n, C, H, W], or [n, T, C, H, W]) as int32 [n, classes]."""
    parts = [trace.scores for trace in traces(graph, images)]
    return np.concatenate(parts) if parts else np.zeros((0, graph.head.classes), np.int32)


def traces(graph: Graph, images: Images) -> Iterator[Trace]:
    """Interpret ``images`` in batches and yield all spikes and scores of each.

    Raises ``InputError`` if the graph is invalid or has no weights, ``ValueError`` if the images are of another shape.
    """
    require_valid(graph, "the network", weights=True)
    if images.dtype != np.uint8 or images.shape[1:] != graph.input.extents:
        raise ValueError(
            f"images are {images.dtype}{list(images.shape)}, not uint8[n, {list(graph.input.extents)}]"
        )
    for start in range(0, len(images), BATCH):
        yield _interpret(graph, images[start : start + BATCH])


def _interpret(graph: Graph, images: Images) -> Trace:
    maps: dict[str, Integers] = {}
    potentials: dict[str, Integers] = {}
    history: dict[str, list[NDArray[np.uint8]]] = {node.name: [] for node in graph.nodes[1:-1]}
    for step in range(graph.time_steps):
        for node in graph.nodes:
            if isinstance(node, Input):
                maps[node.name] = (images if node.frames == 1 else images[:, step]).astype(np.int64)
            elif isinstance(node, Lif):
                before = potentials.get(node.name, np.zeros((len(images), *node.shape), np.int64))
                current = node_current(node, maps)
                maps[node.name], potentials[node.name] = fire(node, before, current)
            elif isinstance(node, OrPool):
                maps[node.name] = or_pool(maps[node.source])
            if node.name in history:
                history[node.name].append(maps[node.name].astype(np.uint8))
    spikes = {name: np.stack(steps) for name, steps in history.items()}
    return Trace(head_scores(graph, spikes[graph.head.source]), spikes)


def node_current(node: Lif, maps: dict[str, Integers]) -> Integers:
    """Sum of the edges' currents and the bias of ``node``: int64 [n, C, H, W]."""
    total = per_channel(as_int(node.bias, node.name))
    for edge in node.edges:
        source = maps[edge.source]
        if isinstance(edge, Skip):
            total = total + source * per_channel(1 << as_int(node.exponent, node.name))
        elif isinstance(edge, Pool):
            total = total + window_count(source) * per_channel(1 << (as_int(node.exponent, node.name) - 3))
        else:
            sums = convolve(source, as_int(edge.weight, node.name), edge.stride)
            if isinstance(edge, PixelConv):
                sums = round_half_up(sums, per_channel(as_int(edge.rounding, node.name)))
            total = total + sums
    return total


def fire(node: Lif, before: Integers, current: Integers) -> tuple[Integers, Integers]:
    """One time step of the neurons of ``node``: returns (spikes 0/1, potentials after the reset)."""
    threshold = per_channel(as_int(node.threshold, node.name))
    potential = node.leak.apply(before) + current
    spikes = (potential >= threshold).astype(np.int64)
    reset = potential - threshold * spikes if node.reset == "subtract" else potential * (1 - spikes)
    return spikes, reset


def convolve(source: Integers, weight: Integers, stride: int) -> Integers:
    """Cross-correlation of [n, in, H, W] with [out, in, k, k], zero padded by k // 2 on every side."""
    kernel = weight.shape[2]
    padding = kernel // 2
    padded = np.pad(source, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))  # type: ignore[call-overload]
    windows = windows[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    n, height, width = windows.shape[:3]
    columns = windows.reshape(n * height * width, -1).astype(np.float64)
    sums: Integers = (columns @ weight.reshape(len(weight), -1).T.astype(np.float64)).astype(np.int64)
    return sums.reshape(n, height, width, len(weight)).transpose(0, 3, 1, 2)


def window_count(spikes: Integers) -> Integers:
    """Number of spikes in each neuron's 3x3 window, zero padded; same shape as ``spikes`` [n, C, H, W]."""
    n, channels, height, width = spikes.shape
    planes = spikes.reshape(n * channels, 1, height, width)
    return convolve(planes, np.ones((1, 1, 3, 3), np.int64), 1).reshape(spikes.shape)


def or_pool(source: Integers) -> Integers:
    """Maximum over 2x2 windows with stride 2; an odd last row or column is dropped."""
    height, width = source.shape[2] // 2 * 2, source.shape[3] // 2 * 2
    n, channels = source.shape[:2]
    windows = source[:, :, :height, :width].reshape(n, channels, height // 2, 2, width // 2, 2)
    largest: Integers = windows.max(axis=(3, 5))
    return largest


def head_scores(graph: Graph, spikes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Read out spikes uint8 [T, n, C, H, W] as scores int32 [n, classes]."""
    counts = spikes.sum(axis=0, dtype=np.int64)
    features = counts.sum(axis=(2, 3)) if graph.head.features == "count" else counts.reshape(len(counts), -1)
    sums: Integers = features @ as_int(graph.head.weight, "head").T + as_int(graph.head.bias, "head")
    return sums.astype(np.int32)


def per_channel(values: Integers) -> Integers:
    """Reshape [channels] so that it applies to maps [n, channels, H, W]."""
    return values.reshape(1, -1, 1, 1)


def predictions(score: NDArray[np.int32]) -> NDArray[np.int64]:
    """Class of each row of scores: the highest, and of equal ones the first."""
    result: NDArray[np.int64] = score.argmax(axis=1)
    return result
