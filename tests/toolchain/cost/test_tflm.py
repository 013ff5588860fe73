"""Files are written and loaded by TensorFlow Lite Micro: bytes and arena are as predicted without weights."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exporters import metadata
from exporters.tflite.micro import build as build_micro
from tests.support.architecture_strategies import architectures
from tests.support.architectures import LINES, filled, quantized, untrained
from tests.support.graphs import of_numbers, random_graph
from tests.support.tflm import needs_tflm, smallest_arena
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.build import build
from toolchain.cost import tflm_schedule
from toolchain.cost.tflm import Form, predicted
from toolchain.cost.tflm_arena import Buffers, arena_bytes, buffers, height, place
from toolchain.cost.tflm_file import facts_characters, file_bytes
from toolchain.cost.tflm_lowering import one_step, unrolled
from toolchain.cost.tflm_schedule import scheduled
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.catalog import load

BOARD = load("stm32f405")
FORMS: tuple[Form, ...] = ("unrolled", "step")
EXAMPLE = "t2 leak2 reset-subtract stem16/1 003000 stride32 003000 head-count"


def digits(graph: Graph) -> int:
    """Most that a file may be smaller, since numbers have fewer digits than they may have, and 16 for alignment."""
    exponents = 3 * graph.head.classes if graph.head.shifts else 0
    return sum(node.shape.channels + 8 for node in graph.all(Lif)) + exponents + 20


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    architectures(max_channels=80, max_blocks=4),
    st.sampled_from([Shape(1, 16, 16), Shape(3, 20, 33), Shape(2, 9, 8)]),
    st.lists(st.text(max_size=5), min_size=2, max_size=40),
    st.booleans(),
)
def test_no_file_is_larger_than_predicted(
    architecture: Architecture, pixels: Shape, labels: list[str], longest: bool
) -> None:
    channels = {1: "grey", 2: "as_is", 3: "rgb"}[pixels.channels]
    preprocessing = Preprocessing(pixels.height, pixels.width, channels)  # type: ignore[arg-type]
    try:
        bare = build(architecture, pixels, preprocessing, tuple(labels))
    except InputError:
        assume(False)
    graph = filled(bare)
    for form in FORMS:
        written = len(build_micro(graph, form, BOARD.name))
        found = predicted(bare, BOARD, form)
        assert written <= found.file_bytes <= written + digits(bare)


@pytest.mark.parametrize("seed", range(12))
def test_to_the_byte_where_what_the_file_says_is_known(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(seed)
    for each, form in itertools.product((graph, of_numbers(graph)), FORMS):
        said = len(json.dumps(metadata.facts(each, "board", form)))
        assert said <= facts_characters(each, form, "board") <= said + digits(each)
        with monkeypatch.context() as patch:
            patch.setattr("toolchain.cost.tflm_file.facts_characters", lambda *_, said=said: said)
            program = scheduled(each) if form == "unrolled" else one_step(each)
            assert file_bytes(program, each, form, "board") == len(build_micro(each, form, "board"))


@needs_tflm
@pytest.mark.parametrize("line", [*LINES, EXAMPLE, "t1 no-leak reset-zero stem8/2 pool16 head-count"])
def test_files_within_one_per_cent_and_arenas_within_three(line: str) -> None:
    graph, bare = quantized(line, 28), untrained(line, 28)
    for form in FORMS:
        content = build_micro(graph, form, BOARD.name)
        found, arena = predicted(bare, BOARD, form), smallest_arena(content)
        assert len(content) <= found.file_bytes <= 1.01 * len(content)
        assert abs(found.arena_bytes - arena) <= 0.03 * arena


@needs_tflm
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_arenas_of_graphs_that_no_search_makes(seed: int) -> None:
    graph = random_graph(seed)
    for form in FORMS:
        arena = smallest_arena(build_micro(graph, form, BOARD.name))
        assert abs(predicted(graph, BOARD, form).arena_bytes - arena) <= 0.03 * arena


def random_buffers(seed: int, count: int = 40) -> Buffers:
    rng = np.random.default_rng(seed)
    first = np.sort(rng.integers(0, 60, count))
    last = first + rng.integers(0, 20, count)
    return Buffers({}, 16 * rng.integers(1, 40, count), first, last)


@pytest.mark.parametrize("seed", range(20))
def test_buffers_that_are_used_together_share_no_byte(seed: int) -> None:
    found = random_buffers(seed)
    offsets = place(found)
    for one, other in itertools.combinations(range(len(offsets)), 2):
        together = found.first[one] <= found.last[other] and found.first[other] <= found.last[one]
        apart = (
            offsets[one] + found.sizes[one] <= offsets[other]
            or offsets[other] + found.sizes[other] <= offsets[one]
        )
        assert apart or not together
    assert (offsets % 16 == 0).all() and found.live_bytes <= height(found, offsets)
    alive = [found.sizes[(found.first <= step) & (step <= found.last)].sum() for step in range(90)]
    assert found.live_bytes == max(alive)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_overwritten_that_is_read_later(seed: int) -> None:
    """Each operator's inputs hold, in their buffers, what was written there last."""
    graph = random_graph(seed)
    for program in (scheduled(graph), one_step(graph)):
        of = buffers(program).of
        holds = {of[value]: value for value in program.inputs}
        for operation in program.operations:
            for value in operation.inputs:
                assert program.values[value].constant is not None or holds[of[value]] == value
            holds[of[operation.output]] = operation.output
        assert all(holds[of[value]] == value for value in program.outputs)


def test_the_order_needs_no_more_than_node_by_node_or_step_by_step() -> None:
    better = 0
    long = "t8 leak2 reset-zero stem16/2 301203 441423 stride32 301203 pool64 333333 head-flatten"
    for line in (*LINES, EXAMPLE, long):
        graph = untrained(line, 28)
        count = len(graph.nodes)
        orders = ([range(number, number + 1) for number in range(1, count)], [range(1, count)])
        pure = [unrolled(graph, order, again) for order in orders for again in (False, True)]
        least, *others = (
            arena_bytes(program, buffers(program).live_bytes) for program in (scheduled(graph), *pure)
        )
        assert least <= min(others)
        better += least < min(others)
    assert better


def test_a_segment_needs_what_it_needs_in_the_whole() -> None:
    """The peak of a program is that of its worst segment, so segments can be judged by themselves."""
    for line in (*LINES, EXAMPLE):
        graph = untrained(line, 16)
        orders = ([range(n, n + 1) for n in range(1, len(graph.nodes))], [range(1, len(graph.nodes))])
        for order, again in itertools.product(orders, (False, True)):
            whole = buffers(unrolled(graph, order, again)).live_bytes
            parts = [tflm_schedule.segment_need(graph, segment, again).live_bytes for segment in order]
            assert max(parts) == whole
