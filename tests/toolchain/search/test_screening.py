"""The verdict on many architectures at once is ``Board.judge``'s on each, in every figure and every limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architecture_strategies import architectures
from toolchain import profiles
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import parse
from toolchain.errors import InputError
from toolchain.graph.events import EventFrames
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.budget import budget
from toolchain.search.board import FRAME_MS, Board
from toolchain.search.screening import CHUNK, FIGURES, Screen, Screened

PROFILES = [profiles.load(name) for name in profiles.available()]
LINE = "t4 leak2 reset-subtract stem16/1 003000 stride20 301203 pool33 111111 head-count"
INTO = np.random.default_rng(7)


def make_board(
    profile: profiles.schema.Profile, shape: Shape, classes: int, frames: int = 1, **limits: Any
) -> Board:
    """A board for images of ``shape``, or for several ``frames`` of two channels, with narrowed ``limits``."""
    channels = {1: "grey", 3: "rgb"}.get(shape.channels, "as_is")
    preprocessing = Preprocessing(shape.height, shape.width, channels)  # type: ignore[arg-type]
    if frames > 1:
        events = EventFrames(frames, 5_000, 1, 64, 64)
        preprocessing = Preprocessing(shape.height, shape.width, "polarity", events=events)
    allowed = budget(profile, **limits)
    pace = FRAME_MS if profile.core is not None and allowed.latency_ms is None else None
    return Board(profile, allowed, shape, preprocessing, tuple(map(str, range(classes))), False, pace)


def check(board: Board, judged: Screened, given_: list[Architecture]) -> None:
    """Every row of ``judged`` is the verdict on its architecture."""
    assert len(judged) == len(given_)
    for row, architecture in enumerate(given_):
        try:
            verdict = board.judge(architecture)
        except InputError:
            assert not judged.buildable[row] and not judged.fits[row]
            assert not any(over[row] for over in judged.over.values())
            continue
        assert judged.buildable[row] and judged.fits[row] == verdict.fits
        assert {limit for limit, over in judged.over.items() if over[row]} == set(verdict.dropped_by)
        for name in FIGURES:
            alone, together = getattr(verdict.footprint, name), getattr(judged, name)
            assert (together is None) == (alone is None)
            assert alone is None or together[row] == alone, name
        regions = {region.name: region.used_bytes for region in verdict.footprint.regions}
        assert {name: used[row] for name, used in judged.regions.items()} == regions
    assert judged.unbuildable == sum(~judged.buildable)
    assert judged.dropped == {limit: int(over.sum()) for limit, over in judged.over.items() if over.any()}


SHARES = st.sampled_from([1.0, 0.5, 0.1, 0.01])


@st.composite
def boards(draw: st.DrawFn) -> Board:
    """Any shipped board with any narrowed budget, for any small images."""
    profile = draw(st.sampled_from(PROFILES))
    shape = Shape(draw(st.sampled_from([1, 2, 3])), draw(st.integers(1, 40)), draw(st.integers(1, 40)))
    whole, limits = budget(profile), dict[str, Any]()
    for name in ("flash_bytes", "sram_bytes", "artifact_bytes", "resident_bytes"):
        if getattr(whole, name) is not None and draw(st.booleans()):
            limits[name] = max(1, int(getattr(whole, name) * draw(SHARES)))
    if draw(st.booleans()):
        limits["latency_ms"] = draw(st.sampled_from([0.01, 0.3, 5.0]))
    if profile.power is not None and draw(st.booleans()):
        limits["energy_mj"] = draw(st.sampled_from([0.001, 0.1, 10.0]))
    if draw(st.booleans()):
        limits["operations"] = draw(st.sampled_from([1_000, 100_000, 10_000_000]))
    frames = draw(st.sampled_from([1, 2, 4])) if shape.channels == 2 else 1
    found = make_board(profile, shape, draw(st.integers(1, 12)), frames, **limits)
    return replace(found, shifts=(-3,) * len(found.labels)) if draw(st.booleans()) else found


@settings(max_examples=150, deadline=None)
@given(boards(), st.lists(architectures(max_channels=96, max_blocks=6), min_size=1, max_size=6))
def test_any_mix_of_architectures(board: Board, mixed: list[Architecture]) -> None:
    check(board, Screen(board).judge(mixed), mixed)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(PROFILES), st.lists(architectures(max_channels=4096), min_size=1, max_size=4))
def test_large_architectures(profile: profiles.schema.Profile, mixed: list[Architecture]) -> None:
    board = make_board(profile, Shape(3, 300, 200), 1000)
    check(board, Screen(board).judge(mixed), mixed)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_cell_at_one_position_and_at_all(profile: profiles.schema.Profile) -> None:
    board, base = make_board(profile, Shape(1, 28, 28), 10), parse(LINE)
    screen, space = Screen(board), distinct_cells()
    rows = sorted(INTO.choice(len(space), 12, replace=False))
    judged = screen.cells(base, 1)
    others = base.cells
    alone = [base.with_cells((others[0], space[row], others[2])) for row in rows]
    check(board, picked(judged, rows), alone)
    check(board, picked(screen.shared_cells(base), rows), [base.with_cells((space[r],) * 3) for r in rows])
    assert len(judged) == len(space)


def picked(judged: Screened, rows: list[int]) -> Screened:
    """Some rows of a longer result."""
    return replace(
        judged,
        buildable=judged.buildable[rows],
        over={limit: over[rows] for limit, over in judged.over.items()},
        regions={name: used[rows] for name, used in judged.regions.items()},
        **{name: None if (of := getattr(judged, name)) is None else of[rows] for name in FIGURES},
    )


def test_drawn_cells_go_to_the_positions_of_drawn_sizes() -> None:
    board, space = make_board(PROFILES[0], Shape(1, 28, 28), 10), distinct_cells()
    sizes = [
        parse(LINE),
        parse("t2 leak2 reset-subtract stem8/2 head-flatten"),
        parse("t3 no-leak reset-zero stem4/1 stride9 444444 head-flatten"),
    ]
    which, cells = INTO.integers(0, 3, 30), INTO.integers(0, len(space), (30, 3))
    drawn = [
        sizes[size].with_cells(tuple(space[cell] for cell in row[: len(sizes[size].cells)]))
        for size, row in zip(which, cells, strict=True)
    ]
    check(board, Screen(board).judge_drawn(sizes, which, cells), drawn)


def test_longer_lists_are_judged_in_chunks_and_none_is_none() -> None:
    screen = Screen(make_board(profiles.load("stm32f405"), Shape(1, 16, 16), 10))
    pair = [parse(LINE), parse("t2 leak2 reset-subtract stem8/2 head-flatten")]
    many = screen.judge(pair * CHUNK)
    two = screen.judge(pair)
    assert len(many) == 2 * CHUNK
    for name in FIGURES:
        assert getattr(two, name) is None or (getattr(many, name) == np.tile(getattr(two, name), CHUNK)).all()
    nobody = screen.judge([])
    assert len(nobody) == 0 and nobody.dropped == {} and nobody.unbuildable == 0


def test_an_input_that_no_network_takes() -> None:
    """The preprocessing gives other images than the board's pixels say."""
    board = replace(make_board(PROFILES[0], Shape(1, 28, 28), 10), pixels=Shape(1, 27, 28))
    judged = Screen(board).judge([parse(LINE)])
    check(board, judged, [parse(LINE)])
    assert judged.unbuildable == 1


def test_maps_too_small_or_counts_too_large_are_not_networks() -> None:
    small = parse("t2 leak2 reset-subtract stem4/1 pool4 pool4 pool4 head-count")
    board = make_board(PROFILES[0], Shape(1, 4, 9), 3)
    check(board, Screen(board).judge([small]), [small])
    counting = [parse(f"t{steps} leak2 reset-subtract stem1/1 head-count") for steps in (1, 2)]
    wide = make_board(PROFILES[0], Shape(1, 200, 300), 3)
    judged = Screen(wide).judge(counting)
    check(wide, judged, counting)
    assert list(judged.buildable) == [True, False]
