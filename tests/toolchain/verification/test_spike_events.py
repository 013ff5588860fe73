"""Events counted with arrays against the kernels' own loops, written out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.support.graphs import in_random_bits, random_graph, random_images
from toolchain.graph import reference
from toolchain.graph.nodes import Lif, Pool, Skip, SpikeConv
from toolchain.verification.spike_events import node_events, spike_events


def block_words(spikes: Any) -> Any:
    """Spikes [T, n, C, H, W] as words of 16 channels [T, n, H, W, blocks]."""
    padded = np.pad(spikes, ((0, 0), (0, 0), (0, -spikes.shape[2] % 16), (0, 0), (0, 0)))
    return np.packbits(padded.transpose(0, 1, 3, 4, 2), axis=-1, bitorder="little").view("<u2")


def listed(node: Lif, spikes: dict[str, Any], images: int, share: bool) -> Counter[str]:
    """As the loops of snn_spike.c list and walk them."""
    found: Counter[str] = Counter()
    blocks = -(-node.shape.channels // 16)
    rows, walked = f"rows_{node.bits}", "walked_8" if node.bits == 8 else "walked_packed"
    for image in range(images):
        for y in range(node.shape.height):
            for x in range(node.shape.width):
                for t in range(0, len(next(iter(spikes.values()))), 2):
                    lists: list[list[int]] = [[], [], []]
                    for edge in node.edges:
                        if isinstance(edge, SpikeConv):
                            list_window(edge, spikes[edge.source], image, t, y, x, lists, found, share)
                    for events in lists:
                        found["listed"] += len(events)
                        found["walks"] += blocks * bool(events)
                        found[walked] += blocks * len(events)
                        found[rows] += blocks * sum(event.bit_count() for event in events)
        for edge in node.edges:
            if isinstance(edge, (Skip, Pool)):
                found["neighbours"] += neighbours(node, edge, spikes[edge.source], image)
    return found


def list_window(
    edge: SpikeConv,
    source: Any,
    image: int,
    t: int,
    y: int,
    x: int,
    lists: list[list[int]],
    found: Counter[str],
    share: bool,
) -> None:
    channels, height, width = source.shape[2:]
    words = block_words(source)[:, image]
    for row in range(y * edge.stride - edge.kernel // 2, y * edge.stride - edge.kernel // 2 + edge.kernel):
        if not 0 <= row < height:
            continue
        runs: list[list[tuple[int, int]]] = [[]]
        for column in range(
            x * edge.stride - edge.kernel // 2, x * edge.stride - edge.kernel // 2 + edge.kernel
        ):
            if 0 <= column < width:
                for block in range(words.shape[-1]):
                    first = int(words[t, row, column, block])
                    second = int(words[t + 1, row, column, block]) if t + 1 < len(words) else 0
                    runs[-1].append((first, second))
                if channels % 16:
                    runs.append([])
        for run in runs:
            for at in range(0, len(run), 2):
                first, second = (
                    sum(pair[k] << 16 * i for i, pair in enumerate(run[at : at + 2])) for k in (0, 1)
                )
                found["looked"] += bool(first | second)
                both = first & second if share else 0
                for events, word in zip(lists, (both, first ^ both, second ^ both), strict=True):
                    if word:
                        events.append(word)


def neighbours(node: Lif, edge: Skip | Pool, source: Any, image: int) -> int:
    reach = isinstance(edge, Pool)
    fired = block_words(source)[:, image] != 0
    return sum(
        int(fired[:, row, column].sum())
        for y in range(node.shape.height)
        for x in range(node.shape.width)
        for row in range(max(y - reach, 0), min(y + reach + 1, node.shape.height))
        for column in range(max(x - reach, 0), min(x + reach + 1, node.shape.width))
    )


@pytest.mark.parametrize("seed", range(12))
def test_events_are_those_of_the_kernels_loops(seed: int) -> None:
    graph = in_random_bits(random_graph(seed), seed) if seed % 3 == 0 else random_graph(seed)
    spikes = next(reference.traces(graph, random_images(graph, 2, seed))).spikes
    sharing = [node.name for node in graph.all(Lif) if seed % 2]
    found = node_events(graph, spikes, sharing)
    nodes = [node for node in graph.all(Lif) if node.edges[0].source in spikes]
    for node in nodes:
        expected = listed(node, spikes, 2, node.name in sharing)
        assert {name: count for name, count in vars(found[node.name]).items() if count} == {
            name: count for name, count in expected.items() if count
        }
    assert found["head"].counted == spikes[graph.head.source].sum()
    assert spike_events(graph, spikes, sharing).rows_8 == sum(each.rows_8 for each in found.values())
