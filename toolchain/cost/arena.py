"""Buffers with lifetimes, placed in one arena so that buffers that are never alive together share bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from toolchain.cost.kernels import kept_bytes, scratch_bytes, step_scratch_bytes
from toolchain.cost.packing import aligned, plane_bytes
from toolchain.graph.graph import Graph, sources
from toolchain.graph.nodes import Head, Input, Lif
from toolchain.schedules import Schedule

STEPS = "steps"
"""The buffer that counts the time steps of a stream, the first of what it keeps."""


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


def buffers(graph: Graph, schedule: Schedule = "layers") -> tuple[Buffer, ...]:
    """The spikes of every node, the scratch of every kernel and the head's counts, placed.

    By steps: the scratch of all kernels, what is kept (the count of steps, counts, potentials), and behind it the
    spikes of one time step.
    """
    return place(_wanted(graph)) if schedule == "layers" else _by_steps(graph)


def kept(placed: Sequence[Buffer]) -> tuple[int, int]:
    """Offset and bytes of what a stream keeps, which lies together, in its buffers."""
    scratch = next(buffer for buffer in placed if buffer.name == "scratch")
    ends = [buffer.end_bytes for buffer in placed if buffer.name.endswith((STEPS, "_counts", "_potentials"))]
    return scratch.end_bytes, max(ends) - scratch.end_bytes


def place(wanted: Sequence[Buffer]) -> tuple[Buffer, ...]:
    """Give each buffer an offset such that no two that are alive together share a byte, in little space.

    Stacking from both ends reaches ``live_bytes``, below which no placement can be, for every network of the
    ``spikenas`` space. For other lifetimes the best of it and two greedy orders, by size and as given, is taken.
    """
    best = _from_both_ends(wanted)
    if arena_bytes(best) > live_bytes(wanted):
        by_size = sorted(wanted, key=lambda buffer: (-buffer.size_bytes, buffer.first, buffer.name))
        best = min(best, _first_fit(by_size), _first_fit(wanted), key=arena_bytes)
    return tuple(sorted(best, key=lambda buffer: (buffer.first, buffer.name)))


def live_bytes(wanted: Sequence[Buffer]) -> int:
    """Most bytes that are alive at one step: what any arena needs at least."""
    change: dict[int, int] = {}
    for buffer in wanted:
        change[buffer.first] = change.get(buffer.first, 0) + aligned(buffer.size_bytes)
        change[buffer.last + 1] = change.get(buffer.last + 1, 0) - aligned(buffer.size_bytes)
    return max(accumulate(change[step] for step in sorted(change)), default=0)


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


def _by_steps(graph: Graph) -> tuple[Buffer, ...]:
    nodes = list(graph.all(Lif))
    # What is kept is cleared word by word.
    sizes = {
        "scratch": max(step_scratch_bytes(graph, node) for node in nodes),
        STEPS: 4,
        f"{graph.head.name}_counts": aligned(graph.head_features() * 2),
        **{f"{node.name}_potentials": kept_bytes(node) for node in nodes},
    }
    always: list[Buffer] = []
    for name, size in sizes.items():
        always.append(Buffer(name, size, 0, len(graph.nodes) - 1, arena_bytes(always)))
    one_step = _wanted(replace(graph, time_steps=1))
    spikes = place([buffer for buffer in one_step if buffer.name.endswith("_spikes")])
    behind = arena_bytes(always)
    return (*always, *(replace(buffer, offset_bytes=behind + buffer.offset_bytes) for buffer in spikes))


def _from_both_ends(wanted: Sequence[Buffer]) -> list[Buffer]:
    """Stack buffers, in order of birth, beside one that dies with them, or else at the end that has no older one.

    Where maps are a path of cells, what dies with a cell's input lies beside it, so that its output, which
    outlives them all, finds the other end empty: nothing is ever left between two living buffers. Offsets are
    counted from either end until the height of both together is known.
    """
    ends: tuple[list[Buffer], list[Buffer]] = ([], [])
    alive: tuple[list[Buffer], list[Buffer]] = ([], [])
    height = 0
    for buffer in sorted(wanted, key=lambda buffer: (buffer.first, -buffer.last)):
        for living in alive:
            living[:] = [other for other in living if other.last >= buffer.first]
        end = _end_for(buffer, *alive)
        placed = replace(buffer, offset_bytes=_lowest_gap(buffer, alive[end]))
        alive[end].append(placed)
        ends[end].append(placed)
        height = max(height, arena_bytes(alive[0]) + arena_bytes(alive[1]))
    return ends[0] + [replace(buffer, offset_bytes=height - buffer.end_bytes) for buffer in ends[1]]


def _end_for(buffer: Buffer, low: Sequence[Buffer], high: Sequence[Buffer]) -> Literal[0, 1]:
    for end in (low, high):
        if any(other.last == buffer.last for other in end):
            return 0 if end is low else 1
    oldest_low = min((other.first for other in low), default=buffer.first)
    oldest_high = min((other.first for other in high), default=buffer.first)
    return 1 if low and oldest_low <= oldest_high else 0


def _first_fit(order: Sequence[Buffer]) -> list[Buffer]:
    placed: list[Buffer] = []
    for buffer in order:
        beside = [other for other in placed if other.meets(buffer)]
        placed.append(replace(buffer, offset_bytes=_lowest_gap(buffer, beside)))
    return placed


def _lowest_gap(buffer: Buffer, beside: Sequence[Buffer]) -> int:
    offset = 0
    for other in sorted(beside, key=lambda other: other.offset_bytes):
        if offset + aligned(buffer.size_bytes) <= other.offset_bytes:
            break
        offset = max(offset, other.end_bytes)
    return offset
