"""In which order TensorFlow Lite Micro runs nodes and time steps, so that the arena is small.

Node by node, with all time steps of each, spikes of all steps wait for their readers, a byte each; step by step,
the potentials of all nodes wait, two bytes each. So nodes are grouped in segments: the time steps of a segment run
one after the other, and all of them before the next segment's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from toolchain.cost.tflm_arena import arena_bytes, buffers, tail_bytes
from toolchain.cost.tflm_lowering import run_segment, unrolled
from toolchain.cost.tflm_program import Program, Value
from toolchain.cost.tflm_read_out import read_out
from toolchain.cost.tflm_state import Lowering, map_of
from toolchain.graph.graph import Graph, sources

Segments = tuple[range, ...]


class Need(NamedTuple):
    """Most bytes of tensors that are used at once, and what TFLM keeps besides."""

    live_bytes: int
    tail_bytes: int


def scheduled(graph: Graph) -> Program:
    """The unrolled program in the order that was found to need the smallest arena.

    Currents of pixels, the same in every step, are computed anew each time where keeping them would take more bytes.
    """
    candidates = [
        unrolled(graph, segments, again) for again in (False, True) for segments in _orders(graph, again)
    ]
    return min(candidates, key=lambda program: arena_bytes(program, buffers(program).live_bytes))


def _orders(graph: Graph, again: bool) -> list[Segments]:
    """All nodes in one segment, and what joining neighbours gives, as long as that makes the arena smaller."""
    need = lru_cache(maxsize=None)(lambda segment: segment_need(graph, segment, again))
    nodes = tuple(range(number, number + 1) for number in range(1, len(graph.nodes)))
    return list(dict.fromkeys((_joined(nodes, need), (range(1, len(graph.nodes)),))))


def _joined(segments: Segments, need: Callable[[range], Need]) -> Segments:
    """Join the two neighbours that save most, again and again."""

    def arena(order: Segments) -> int:
        return max(need(each).live_bytes for each in order) + sum(need(each).tail_bytes for each in order)

    while len(segments) > 1:
        options = [
            (*segments[:left], range(segments[left].start, segments[left + 1].stop), *segments[left + 2 :])
            for left in range(len(segments) - 1)
        ]
        best = min(options, key=arena)
        if arena(best) >= arena(segments):
            break
        segments = best
    return segments


def segment_need(graph: Graph, segment: range, again: bool) -> Need:
    """What a segment needs, whatever the other segments are."""
    state = Lowering(graph, again)
    needed = {source for node in graph.nodes[segment.start :] for source in sources(node)}
    later = {source for node in graph.nodes[segment.stop :] for source in sources(node)}
    waiting = []
    for node in graph.nodes[: segment.start]:
        if node.name not in needed:
            continue
        if node is graph.input:
            extents = (node.frames, *map_of(node.shape)[1:])
            state.image = state.program.input(Value(extents, "int8", zero_point=-128))
            waiting += [state.image] * (node.name in later)
            continue
        for step in range(graph.time_steps):
            value = state.program.input(Value(map_of(graph.source_shape(node.name)), "int8"))
            state.stored[node.name, step] = value
            waiting += [value] * (node.name in later)
    run_segment(state, segment)
    if segment.stop == len(graph.nodes):
        read_out(state)
    given = [state.stored[key] for key in state.stored if key[0] in later]
    state.program.outputs += list(dict.fromkeys(waiting + given))
    # Constants are counted in each segment that reads them; few are shared.
    return Need(buffers(state.program).live_bytes, tail_bytes(state.program))
