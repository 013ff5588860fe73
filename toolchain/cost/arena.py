"""Buffers with lifetimes, placed in one arena so that buffers that are never alive together share bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolchain.cost.kernels import scratch_bytes
from toolchain.cost.packing import aligned, plane_bytes
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Head, Input, Lif


@dataclass(frozen=True)
class Buffer:
    """A range of the arena. ``first`` and ``last`` are the schedule steps (node indices) between which it is alive."""

    name: str
    size_bytes: int
    first: int
    last: int
    offset_bytes: int = 0

    @property
    def end_bytes(self) -> int:
        """Offset behind the last byte."""
        return self.offset_bytes + aligned(self.size_bytes)

    def meets(self, other: Buffer) -> bool:
        """Whether both are alive at some step."""
        return self.first <= other.last and other.first <= self.last


def buffers(graph: Graph) -> tuple[Buffer, ...]:
    """The spikes of every node, the scratch of every kernel and the head's counts, placed; layer-major schedule."""
    return place(_wanted(graph))


def place(wanted: Sequence[Buffer]) -> tuple[Buffer, ...]:
    """Give each buffer an offset such that no two that are alive together share a byte, in little space.

    Two greedy orders are tried, by size and as given: neither is always the better, and both are cheap and repeatable.
    """
    by_size = sorted(wanted, key=lambda buffer: (-buffer.size_bytes, buffer.first, buffer.name))
    best = min(_first_fit(by_size), _first_fit(wanted), key=arena_bytes)
    return tuple(sorted(best, key=lambda buffer: (buffer.first, buffer.name)))


def arena_bytes(placed: Sequence[Buffer]) -> int:
    """Bytes of the arena that holds all ``placed`` buffers."""
    return max((buffer.end_bytes for buffer in placed), default=0)


def _wanted(graph: Graph) -> list[Buffer]:
    last_reader = {source: step for step, node in enumerate(graph.nodes) for source in sources(node)}
    found = []
    for step, node in enumerate(graph.nodes):
        if isinstance(node, Head):
            found.append(Buffer(f"{node.name}_counts", graph.head_features() * 2, step, step))
        elif not isinstance(node, Input):
            size = plane_bytes(node.shape, graph.time_steps)
            found.append(Buffer(f"{node.name}_spikes", size, step, last_reader[node.name]))
        if isinstance(node, Lif) and (size := scratch_bytes(graph, node)):
            found.append(Buffer(f"{node.name}_scratch", size, step, step))
    return found


def _first_fit(order: Sequence[Buffer]) -> list[Buffer]:
    placed: list[Buffer] = []
    for buffer in order:
        offset = 0
        for other in sorted((b for b in placed if b.meets(buffer)), key=lambda b: b.offset_bytes):
            if offset + aligned(buffer.size_bytes) <= other.offset_bytes:
                break
            offset = max(offset, other.end_bytes)
        placed.append(replace(buffer, offset_bytes=offset))
    return placed
