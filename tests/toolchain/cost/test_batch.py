"""Architectures as arrays; that their demands are the Graphs' is proven in tests/toolchain/search/test_screening.py."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.architecture_strategies import architectures
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.build import build
from toolchain.architecture.cells import canonical_cells, distinct_cells
from toolchain.architecture.text import parse
from toolchain.cost.amounts import Map
from toolchain.cost.batch import Batch, demands, encode
from toolchain.cost.blocks import cell_order
from toolchain.cost.demand import FIELDS
from toolchain.cost.graph_demand import graph_demand
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing


def test_distinct_cells_have_the_first_indices() -> None:
    assert cell_order()[: len(distinct_cells())] == distinct_cells()
    assert sorted(cell_order()) == list(canonical_cells())


@settings(max_examples=100, deadline=None)
@given(architectures(max_channels=70, max_blocks=6), st.integers(1, 30), st.integers(1, 30))
def test_every_demand_is_the_graph_s(architecture: Architecture, height: int, width: int) -> None:
    found, buildable = demands(encode([architecture]), Map(3, height, width), 4)
    try:
        preprocessing = Preprocessing(height, width, "rgb")
        graph = build(architecture, Shape(3, height, width), preprocessing, tuple("abcd"))
    except InputError:
        assert not buildable[0]
        assume(False)
    assert buildable[0]
    expected = graph_demand(graph)
    for name in FIELDS:
        assert getattr(found, name)[0] == getattr(expected, name), name


@settings(max_examples=50, deadline=None)
@given(st.lists(architectures(), min_size=1, max_size=5), st.data())
def test_rows_are_taken_and_cells_replaced(given_: list[Architecture], data: st.DataObject) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, len(given_) - 1), max_size=6)), np.int64)
    taken = encode(given_).take(rows)
    same(taken, encode([given_[row] for row in rows]))
    most = max(len(architecture.cells) for architecture in given_)
    cells = np.random.default_rng(0).integers(0, len(cell_order()), (len(rows), most))
    other = [
        given_[row].with_cells(tuple(cell_order()[index] for index in line[: len(given_[row].cells)]))
        for row, line in zip(rows, cells, strict=True)
    ]
    same(taken.with_cells(cells), encode(other))


def same(one: Batch, other: Batch) -> None:
    """Equal up to columns of no blocks at the end."""
    for field in fields(Batch):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name == "blocks":
            assert (left[:, right.shape[1] :] == -1).all()
            left = left[:, : right.shape[1]]
        assert np.array_equal(left, right), field.name


@pytest.mark.parametrize("cells", [[[-1]], [[7556]], [[]]])
def test_what_names_no_cell_is_refused(cells: list[list[int]]) -> None:
    batch = encode([parse("t2 leak2 reset-subtract stem4/1 003000 head-count")])
    with pytest.raises(ValueError):
        batch.with_cells(np.array(cells, np.int64))
