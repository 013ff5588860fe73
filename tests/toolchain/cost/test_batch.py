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
from toolchain.cost.demand import EVERY_FILE, FIELDS
from toolchain.cost.facts import data_characters
from toolchain.cost.graph_demand import graph_demand
from toolchain.errors import InputError
from toolchain.graph.events import EventFrames
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing


def test_distinct_cells_have_the_first_indices() -> None:
    assert cell_order()[: len(distinct_cells())] == distinct_cells()
    assert sorted(cell_order()) == list(canonical_cells())


@settings(max_examples=100, deadline=None)
@given(architectures(max_channels=70, max_blocks=6), st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_every_demand_is_the_graph_s(
    architecture: Architecture, height: int, width: int, framed: bool
) -> None:
    preprocessing = Preprocessing(height, width, "rgb")
    if framed:
        # A number of frames that is not the number of time steps can be drawn too, and cannot be built.
        events = EventFrames(max(2, architecture.time_steps - (height == 7)), 99_999, 4, 64, 48)
        preprocessing = Preprocessing(height, width, "polarity", events=events)
    pixels = Shape(preprocessing.planes or 1, height, width)
    characters = data_characters("abcd", preprocessing)
    found, buildable = demands(encode([architecture]), Map(*pixels), preprocessing.frames, 4, characters)
    try:
        graph = build(architecture, pixels, preprocessing, tuple("abcd"))
    except InputError:
        assert not buildable[0]
        assume(False)
    assert buildable[0]
    expected = graph_demand(graph)
    for name in FIELDS:
        assert getattr(found, name)[0] == getattr(expected, name), name


@pytest.mark.parametrize("file", sorted(EVERY_FILE))
def test_what_is_not_asked_for_changes_nothing_else(file: str) -> None:
    lines = [
        "t2 leak2 reset-subtract stem4/1 203401 pool3 332211 head-flatten",
        "t8 decay2 reset-zero stem9/2 head-count",
    ]
    batch = encode([parse(line) for line in lines])
    whole, _ = demands(batch, Map(1, 20, 21), 1, 3, 40)
    asked, _ = demands(batch, Map(1, 20, 21), 1, 3, 40, files=frozenset({file}))
    for name in FIELDS:
        expected = getattr(whole, name)
        left_out = name in EVERY_FILE and name != file
        assert np.array_equal(getattr(asked, name), 0 * expected if left_out else expected), name


def test_numbers_of_nodes_may_have_two_digits() -> None:
    """Their names are in files: the tenth shrink has the first number of two digits, the eleventh cell the other."""
    cells, shrinks = " 203401" * 12, " pool3 stride4" * 3 + " stride3" * 8
    lines = [f"t{steps} leak15 reset-zero stem4/1{cells}{shrinks}{cells} head-count" for steps in (1, 3)]
    lines += [
        f"t2 no-leak reset-subtract stem130/1{shrinks} 332211 head-flatten",
        "t8 decay2 reset-zero stem9/2 head-count",
    ]
    pixels, preprocessing = Shape(1, 70, 81), Preprocessing(70, 81, "grey")
    characters = data_characters("ab", preprocessing)
    found, _ = demands(encode([parse(line) for line in lines]), Map(*pixels), 1, 2, characters)
    for row, line in enumerate(lines):
        expected = graph_demand(build(parse(line), pixels, preprocessing, tuple("ab")))
        assert found.onnx_bytes[row] == expected.onnx_bytes  # type: ignore[index]
        assert found.tflite_bytes[row] == expected.tflite_bytes  # type: ignore[index]


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
