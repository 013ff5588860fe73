from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import to_text
from toolchain.errors import OverBudgetError
from toolchain.search.board import Verdict
from toolchain.search.sizes import REFERENCE, SMALLEST, ladder, with_cell
from toolchain.search.sizing import choose_sizes


def test_the_most_preferred_size_that_fits_is_taken() -> None:
    where, seen = board(), list[Verdict]()
    sizing = choose_sizes(where, seen.append)
    sizes = list(ladder(where.pixels))
    assert [verdict.architecture for verdict in seen] == sizes[: len(seen)]
    assert [verdict.fits for verdict in seen] == [False] * (len(seen) - 1) + [True]
    assert sizing.verdict == seen[-1] and sizing.next_larger == seen[-2]
    assert sizing.reserve == REFERENCE and sizing.keeps_pace and sizing.board is where


def test_with_room_for_everything_nothing_larger_is_named() -> None:
    assert choose_sizes(board(latency_ms=1e9, data=bars(side=4)), lambda _: None).next_larger is None


def test_less_flash_means_fewer_weights() -> None:
    flash = [choose_sizes(board(flash_bytes=kib * 1024), lambda _: None).verdict for kib in (400, 100, 16)]
    used = [verdict.footprint.flash_bytes for verdict in flash]
    assert used == sorted(used, reverse=True) and len(set(used)) == 3  # type: ignore[type-var]


def test_where_no_reference_fits_skips_are_held_in_reserve() -> None:
    where = board()
    reference = where.judge(list(ladder(where.pixels))[-1]).footprint.flash_bytes
    assert reference is not None
    sizing = choose_sizes(board(flash_bytes=reference - 1), lambda _: None)
    assert sizing.reserve == SMALLEST and sizing.verdict.fits


def test_a_board_too_slow_for_any_size_gets_the_fastest() -> None:
    slow = replace(board(), pace_ms=1e-6)
    sizing = choose_sizes(slow, lambda _: None)
    assert not sizing.keeps_pace
    assert sizing.verdict.architecture == list(ladder(slow.pixels))[-1]
    assert sizing.board.pace_ms == sizing.verdict.latency_ms
    assert sizing.board.judge(sizing.verdict.architecture).fits
    assert not sizing.board.judge(next(ladder(slow.pixels))).fits


@pytest.mark.parametrize(
    ("name", "limits", "limit"),
    [
        ("stm32f405", {"flash_bytes": 2048}, "flash"),
        ("stm32f405", {"sram_bytes": 2200}, "sram"),
        ("stm32f405", {"latency_ms": 1e-4}, "latency"),
        ("jetson_nano", {"artifact_bytes": 512}, "artifact"),
        ("jetson_nano", {"latency_ms": 1e-5}, "latency"),
    ],
)
def test_nothing_fits(name: str, limits: dict[str, float], limit: str) -> None:
    where = board(name, **limits)
    with pytest.raises(OverBudgetError, match=f"no network for images of 8x8 fits {name}") as caught:
        choose_sizes(where, lambda _: None)
    smallest = where.judge(with_cell(list(ladder(where.pixels))[-1], SMALLEST))
    excess = next(excess for excess in smallest.excesses if excess.limit == limit)
    missing = excess.used - excess.available
    text = str(caught.value)
    figure = f"{missing:,.2f} ms (an estimated" if limit == "latency" else f"{missing:,.0f} bytes ("
    assert re.search(rf"misses .*{limit} by {re.escape(figure)}", text), text
    assert "smaller --size" in text


@pytest.mark.parametrize("name", ["stm32f405", "rp2040", "raspberry_pi_4b"])
def test_no_network_of_the_space_is_smaller_than_the_smallest(name: str) -> None:
    where = board(name)
    sizes = list(ladder(where.pixels))
    least = where.judge(with_cell(sizes[-1], SMALLEST))
    rng = np.random.default_rng(0)
    others = [with_cell(size, cell) for size in sizes for cell in (SMALLEST, REFERENCE)]
    others += [with_cell(sizes[-1], distinct_cells()[index]) for index in rng.choice(7012, 300)]
    for other in others:
        verdict = where.judge(other)
        for field in ("flash_bytes", "sram_bytes", "artifact_bytes", "resident_bytes"):
            mine, theirs = getattr(least.footprint, field), getattr(verdict.footprint, field)
            assert mine is None or mine <= theirs, (field, to_text(other))
        assert least.operations <= verdict.operations
