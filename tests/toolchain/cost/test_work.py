from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.cost.amounts import Map
from toolchain.cost.graph_demand import graph_demand, node_demand
from toolchain.cost.neurons import inside
from toolchain.cost.work import EVENTS, Events, assumed


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 5]), st.integers(1, 3))
def test_windows_are_counted_where_they_lie_within_the_map(
    height: int, width: int, kernel: int, stride: int
) -> None:
    reach = kernel // 2
    rows, columns = (
        range(0, height + 2 * reach - kernel + 1, stride),
        range(0, width + 2 * reach - kernel + 1, stride),
    )

    def within(start: int, size: int) -> int:
        return sum(0 <= start - reach + k < size for k in range(kernel))

    source, shape = Map(1, height, width), Map(1, len(rows), len(columns))
    expected_rows = sum(within(y, height) for y in rows) * len(columns)
    expected = sum(within(y, height) for y in rows) * sum(within(x, width) for x in columns)
    assert inside(source, shape, kernel, stride) == (expected_rows, expected)
    many = Map(*(np.array([side, side]) for side in source)), Map(*(np.array([side, side]) for side in shape))
    found = inside(*many, kernel, np.array([stride, stride]))
    assert [list(each) for each in found] == [[expected_rows] * 2, [expected] * 2]  # type: ignore[arg-type]


def test_a_hand_counted_network() -> None:
    # Pixels of 8x8 and one channel; 20 channels are two blocks; three time steps are two pairs.
    graph = board("stm32f405").graph(parse("t3 leak2 reset-subtract stem20/1 003000 head-count"))
    stem, cell, head = (node_demand(graph, node) for node in graph.nodes[1:])
    assert (stem.first_updates, stem.subtracted_updates) == (64 * 2, 64 * 2 * 2)
    assert (stem.pixel_updates, stem.spike_updates) == (64 * 2 * 3, 0)
    assert (stem.pixel_windows, stem.pixel_taps, stem.pixel_blocks) == (64, 64 * 9, 64 * 2)
    assert stem.tap_pairs == 64 * 2 * 5  # nine taps are filled up to ten
    seen = 22 * 22  # positions of 8 windows of 3 that lie within 8, along each side
    assert (cell.pair_positions, cell.windows, cell.block_pairs) == (64 * 2, 64 * 2, 64 * 2 * 2)
    # 20 channels are no whole blocks, so each position begins a run, of two words of 16.
    assert (cell.runs, cell.spike_words) == (seen * 2, seen * 2 * 2)
    assert cell.word_blocks_8 == seen * 2 * 2 * 2
    assert cell.connections_8 == seen * 20 * 2 * 3
    assert (cell.spike_updates, cell.coded_updates, cell.neighbour_updates) == (64 * 2 * 3, 0, 0)
    assert (head.head_words, head.head_features, head.node_calls) == (64 * 3 * 2, 20, 1)


@pytest.mark.parametrize(("bits", "name"), [(8, "rows_8"), (4, "rows_4"), (2, "rows_2")])
def test_rows_are_of_the_weights_bits(bits: int, name: str) -> None:
    line = "t2 leak2 reset-subtract stem20/1 002000 head-count"
    graph = board("stm32f405").graph(parse(line if bits == 8 else line.replace("stem", f"w{bits} stem")))
    found = assumed(graph_demand(graph, frozenset()))
    assert [each for each in ("rows_8", "rows_4", "rows_2") if getattr(found, each)] == [name]
    assert bool(found.walked_packed) == (bits < 8) != bool(found.walked_8)


def test_events_add_up_and_have_a_mean() -> None:
    one = Events(*range(1, len(EVENTS) + 1))
    assert (one + one) / 2 == one
