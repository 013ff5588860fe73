"""What the spikes of real images make the firmware's kernels do, counted from the reference's spikes.

The kernels' lists are made again here as arrays: which neurons fired in both steps of a pair or in one alone, in which
words of 32 they lie, and which windows see them. ``cost.work.Events`` says what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.packing import BLOCK, blocks
from toolchain.cost.work import STEPS, Events
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, Pool, Skip, SpikeConv

Spikes = NDArray[np.uint8]
Words = NDArray[np.uint16]
Flags = NDArray[np.bool_]

LISTS = 1 + STEPS
"""Of neurons that fired in both steps, and of the others for each."""


def spike_events(graph: Graph, spikes: Mapping[str, Spikes]) -> Events:
    """All events of ``graph`` over all images of ``spikes`` uint8 [T, n, C, H, W], those of a reference's ``Trace``."""
    return sum(node_events(graph, spikes).values(), Events())


def node_events(graph: Graph, spikes: Mapping[str, Spikes]) -> dict[str, Events]:
    """The same of each node that reads spikes, by name."""
    found = {
        node.name: _layer_events(node, spikes) for node in graph.all(Lif) if node.edges[0].source in spikes
    }
    head: Head = graph.head
    return found | {head.name: Events(counted=float(np.count_nonzero(spikes[head.source])))}


def block_words(spikes: Spikes) -> Words:
    """``spikes`` [T, n, C, H, W] as words of 16 channels [T, n, H, W, blocks]."""
    steps, images, channels, height, width = spikes.shape
    padded = np.zeros((steps, images, height, width, blocks(channels) * BLOCK), np.uint8)
    padded[..., :channels] = spikes.transpose(0, 1, 3, 4, 2)
    return np.packbits(padded, axis=-1, bitorder="little").view("<u2")


def _layer_events(node: Lif, spikes: Mapping[str, Spikes]) -> Events:
    windows = [
        _Windows(spikes[edge.source], edge.kernel, edge.stride, node.shape.height, node.shape.width)
        for edge in node.edges
        if isinstance(edge, SpikeConv)
    ]
    beside = [edge for edge in node.edges if isinstance(edge, (Skip, Pool))]
    wide = blocks(node.shape.channels)
    listed, rows = sum(each.listed for each in windows), sum(each.rows for each in windows)
    # All convolutions of a node append to the same lists.
    filled = np.any([each.filled for each in windows], axis=0) if windows else np.zeros(0, bool)
    return Events(
        looked=sum(each.looked for each in windows),
        listed=listed,
        walks=int(np.count_nonzero(filled)) * wide,
        neighbours=sum(_neighbours(spikes[edge.source], edge) for edge in beside),
        **{
            f"rows_{node.bits}": rows * wide,
            "walked_8" if node.bits == 8 else "walked_packed": listed * wide,
        },
    )


class _Windows:
    """The windows of one convolution: events and rows of all, and which of the lists of which windows are filled."""

    def __init__(self, source: Spikes, kernel: int, stride: int, height: int, width: int) -> None:
        paired = source
        if len(source) % STEPS:
            paired = np.concatenate([source, np.zeros_like(source[:1])])
        channels = source.shape[2]
        words = block_words(paired)
        first, second = words[0::STEPS], words[1::STEPS]
        either = first | second
        both = first & second
        kinds = np.stack([both, first ^ both, second ^ both])
        rows, columns = (
            _spans(source.shape[3], height, kernel, stride),
            _spans(source.shape[4], width, kernel, stride),
        )
        seen_rows = _seen(source.shape[3], rows)
        fired = paired[0::STEPS] | paired[1::STEPS]
        self.rows = int(
            np.einsum(
                "pnchw,h,w->",
                fired,
                seen_rows,
                _seen(source.shape[4], columns),
                dtype=np.int64,
                casting="unsafe",
            )
        )
        self.looked = self.listed = 0
        # [list, pair, image, window row, window column]
        self.filled = np.zeros((*kinds.shape[:3], height, width), bool)
        for x, (start, end) in enumerate(columns):
            whole = channels % BLOCK == 0
            self.looked += int(
                (_words32(either[:, :, :, start:end], whole).sum(axis=(0, 1, 3)) * seen_rows).sum()
            )
            events = _words32(kinds[..., start:end, :], whole)
            self.listed += int((events.sum(axis=(0, 1, 2, 4)) * seen_rows).sum())
            lines = events.any(axis=-1)
            for y, (top, bottom) in enumerate(rows):
                self.filled[..., y, x] = lines[..., top:bottom].any(axis=-1)


def _words32(words: Words, whole: bool) -> Flags:
    """Which words of 32 neurons have a spike: [..., words] of ``words`` [..., columns, blocks] of a row of a window.

    Whole blocks are taken in twos along the row, others along each position.
    """
    *outer, columns, wide = words.shape
    lines = words.reshape(*outer, 1, columns * wide) if whole else words
    if lines.shape[-1] % 2:
        lines = np.concatenate([lines, np.zeros_like(lines[..., :1])], axis=-1)
    taken = (lines[..., 0::2] | lines[..., 1::2]) != 0
    return taken.reshape(*outer, -1)


def _neighbours(source: Spikes, edge: Skip | Pool) -> int:
    fired = (block_words(source) != 0).transpose(0, 1, 4, 2, 3)
    if isinstance(edge, Skip):
        return int(np.count_nonzero(fired))
    return _seen_in_all(fired, *(_seen(side, _spans(side, side, 3, 1)) for side in source.shape[3:]))


def _seen_in_all(fired: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> int:
    """How often windows see what ``fired`` [..., H, W], if so many see each row and each column."""
    return int(rows @ fired.sum(axis=tuple(range(fired.ndim - 2)), dtype=np.int64) @ columns)


def _spans(size: int, windows: int, kernel: int, stride: int) -> list[tuple[int, int]]:
    starts = [window * stride - kernel // 2 for window in range(windows)]
    return [(max(start, 0), min(start + kernel, size)) for start in starts]


def _seen(size: int, spans: list[tuple[int, int]]) -> NDArray[np.int64]:
    """How many windows see each position of a side."""
    found = np.zeros(size, np.int64)
    for start, end in spans:
        found[start:end] += 1
    return found
