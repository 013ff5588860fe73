from __future__ import annotations

from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.architecture_strategies import architectures
from tests.support.architectures import LINES, untrained
from tests.support.graphs import random_graph
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.build import build
from toolchain.architecture.cells import canonical_cells
from toolchain.cost.arena import Buffer, arena_bytes, buffers, kept, live_bytes, place
from toolchain.cost.kernels import kept_bytes, scratch_bytes, step_scratch_bytes
from toolchain.cost.packing import aligned, plane_bytes
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, OrPool, Shape
from toolchain.graph.preprocessing import Preprocessing


def check_placement(placed: tuple[Buffer, ...]) -> None:
    """No two buffers that are alive together share a byte, and the arena is at least the peak of what is alive."""
    for one, other in combinations(placed, 2):
        if one.meets(other):
            assert one.end_bytes <= other.offset_bytes or other.end_bytes <= one.offset_bytes, (one, other)
    assert all(buffer.offset_bytes % 4 == 0 and buffer.offset_bytes >= 0 for buffer in placed)
    steps = range(max((buffer.last for buffer in placed), default=-1) + 1)
    alive = [sum(aligned(b.size_bytes) for b in placed if b.first <= step <= b.last) for step in steps]
    total = sum(aligned(buffer.size_bytes) for buffer in placed)
    assert live_bytes(placed) == max(alive, default=0) <= arena_bytes(placed) <= total


LIFETIMES = st.tuples(st.integers(1, 2000), st.integers(0, 12), st.integers(0, 5))


@settings(max_examples=300, deadline=None)
@given(st.lists(LIFETIMES, max_size=14))
def test_buffers_that_are_alive_together_never_overlap(lifetimes: list[tuple[int, int, int]]) -> None:
    wanted = [
        Buffer(f"b{index}", size, first, first + length)
        for index, (size, first, length) in enumerate(lifetimes)
    ]
    placed = place(wanted)
    assert sorted((b.name, b.size_bytes, b.first, b.last) for b in placed) == sorted(
        (b.name, b.size_bytes, b.first, b.last) for b in wanted
    )
    check_placement(placed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_a_network_s_buffers_live_from_their_node_to_their_last_reader(seed: int) -> None:
    check_network(random_graph(seed))


def test_architectures_are_placed_too() -> None:
    for line in LINES:
        check_network(untrained(line))


@settings(max_examples=300, deadline=None)
@given(architectures(max_channels=80, max_blocks=7), st.integers(1, 40), st.integers(1, 40))
def test_an_architecture_needs_no_more_than_what_is_alive_together(
    architecture: Architecture, height: int, width: int
) -> None:
    """So the arena of a path of blocks is the largest of its blocks' sums."""
    try:
        graph = build(architecture, Shape(1, height, width), Preprocessing(height, width, "grey"), ("a", "b"))
    except InputError:
        assume(False)
    placed = buffers(graph)
    check_placement(placed)
    assert arena_bytes(placed) == live_bytes(placed)


def test_every_cell_reaches_the_bound() -> None:
    """Each with a map before it that is smaller and one behind it that is larger."""
    for cell in canonical_cells():
        placed = buffers(
            untrained(f"t3 leak2 reset-subtract stem16/1 stride33 {cell} stride70 head-count", 8)
        )
        assert arena_bytes(placed) == live_bytes(placed)


def check_network(graph: Graph) -> None:
    placed = buffers(graph)
    check_placement(placed)
    by_name = {buffer.name: buffer for buffer in placed}
    assert len(by_name) == len(placed)
    for step, node in enumerate(graph.nodes):
        if isinstance(node, (Lif, OrPool)):
            spikes = by_name.pop(f"{node.name}_spikes")
            assert spikes.size_bytes == plane_bytes(node.shape, graph.time_steps) and spikes.first == step
            reads = [k for k, reader in enumerate(graph.nodes) if node.name in _sources(reader)]
            assert spikes.last == max(reads)
        if isinstance(node, Lif) and scratch_bytes(graph, node):
            scratch = by_name.pop(f"{node.name}_scratch")
            assert (scratch.size_bytes, scratch.first, scratch.last) == (
                scratch_bytes(graph, node),
                step,
                step,
            )
    counts = by_name.pop(f"{graph.head.name}_counts")
    assert counts.size_bytes == 2 * graph.head_features() and not by_name


def test_a_chain_shares_the_bytes_of_what_is_dead() -> None:
    """Four maps of 100 bytes in a row: two are alive at a time, and the arena holds two."""
    chain = [Buffer(f"map{step}", 100, step, step + 1) for step in range(4)]
    placed = place(chain)
    assert arena_bytes(placed) == 200
    assert [buffer.offset_bytes for buffer in placed] == [0, 100, 0, 100]


def test_a_small_buffer_goes_into_the_gap_of_a_dead_one() -> None:
    wanted = [Buffer("large", 400, 0, 1), Buffer("kept", 40, 0, 3), Buffer("late", 396, 2, 3)]
    assert arena_bytes(place(wanted)) == 440


def _sources(node: object) -> set[str]:
    if isinstance(node, Lif):
        return {edge.source for edge in node.edges}
    return {getattr(node, "source", "")}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_by_steps_what_is_kept_is_never_shared_and_lies_together(seed: int) -> None:
    graph = random_graph(seed)
    placed = buffers(graph, "steps")
    check_placement(placed)
    by_name = {buffer.name: buffer for buffer in placed}
    offset, size = kept(placed)
    scratch = by_name.pop("scratch")
    assert scratch.offset_bytes == 0 and scratch.end_bytes == offset
    assert scratch.size_bytes == max(step_scratch_bytes(graph, node) for node in graph.all(Lif))
    assert by_name["steps"].offset_bytes == offset
    kept_names = {"steps", "head_counts", *(f"{node.name}_potentials" for node in graph.all(Lif))}
    for name, buffer in by_name.items():
        within = offset <= buffer.offset_bytes and buffer.end_bytes <= offset + size
        assert within == (name in kept_names)
        if name in kept_names:
            assert (buffer.first, buffer.last) == (0, len(graph.nodes) - 1)
    for node in graph.all(Lif):
        assert by_name[f"{node.name}_potentials"].size_bytes == kept_bytes(node)
        assert by_name[f"{node.name}_spikes"].size_bytes == plane_bytes(node.shape, 1)
    assert sum(aligned(by_name[name].size_bytes) for name in kept_names) == size
