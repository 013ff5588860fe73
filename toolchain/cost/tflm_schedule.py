"""In which order TensorFlow Lite Micro runs nodes and time steps, so that the arena is small.

Node by node, with all time steps of each, spikes of all steps wait for their readers, a byte each; step by step,
the potentials of all nodes wait, two bytes each. So nodes are grouped in segments: the time steps of a segment run
one after the other, and all of them before the next segment's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from toolchain.cost.tflm_arena import buffers
from toolchain.cost.tflm_lowering import Lowering, map_of, read_out, run_segment, unrolled
from toolchain.cost.tflm_program import Program, Value
from toolchain.graph.graph import Graph, sources

Segments = tuple[range, ...]


def scheduled(graph: Graph) -> Program:
    """The unrolled program in the order that was found to need the fewest bytes at once.

    Currents of pixels, the same in every step, are computed anew each time where keeping them would take more bytes.
    """
    found = [_least(graph, again) for again in (False, True)]
    kept, again = (max(peak for _, peak in each) for each in found)
    choice = again < kept
    return unrolled(graph, [segment for segment, _ in found[choice]], choice)


def _least(graph: Graph, again: bool) -> list[tuple[range, int]]:
    """Segments with the bytes that each needs at once: the better of two searches, from nodes and from the whole."""
    peak = lru_cache(maxsize=None)(lambda segment: segment_bytes(graph, segment, again))
    count = len(graph.nodes)
    starts = [[range(number, number + 1) for number in range(1, count)], [range(1, count)]]
    results = [_merged(start, peak) for start in starts]
    return min(results, key=lambda each: max(bytes_ for _, bytes_ in each))


def _merged(segments: list[range], peak: Callable[[range], int]) -> list[tuple[range, int]]:
    """Join the segment that needs most to a neighbour, while that needs less."""
    while len(segments) > 1:
        worst = max(range(len(segments)), key=lambda each: peak(segments[each]))
        options = []
        for left in (worst - 1, worst):
            if 0 <= left < len(segments) - 1:
                joined = range(segments[left].start, segments[left + 1].stop)
                options.append((peak(joined), left, joined))
        least, left, joined = min(options, key=lambda option: option[:2])
        if least >= peak(segments[worst]):
            break
        segments = [*segments[:left], joined, *segments[left + 2 :]]
    return [(segment, peak(segment)) for segment in segments]


def segment_bytes(graph: Graph, segment: range, again: bool) -> int:
    """Most bytes that are used at once while a segment runs, whatever the other segments are."""
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
    return buffers(state.program).live_bytes
