from __future__ import annotations

from dataclasses import replace

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell
from toolchain.search.feasible import DEAREST_IMAGE_S, feasible_sizes
from toolchain.search.pool import DEAREST, Kind, build_pool
from toolchain.search.rungs import seconds_per_image
from toolchain.search.space import LARGEST, REFERENCE

KINDS = [
    Kind("reference", (REFERENCE,)),
    Kind("path of 3", (Cell.parse("301203"), Cell.parse("303303"))),
    Kind("six 3x3", (LARGEST,)),
]


@pytest.mark.parametrize("name", ["stm32f405", "nrf52840", "jetson_nano"])
@pytest.mark.parametrize("count", [2, 6, 18])
def test_a_pool_fits_and_has_its_references(name: str, count: int) -> None:
    feasible = feasible_sizes(board(name))
    pool = build_pool(feasible, KINDS, count)
    assert 2 <= len(pool) <= max(count, 2)
    assert all(candidate.verdict.fits for candidate in pool)
    assert len({candidate.id for candidate in pool}) == len(pool)
    assert pool[0].architecture == feasible.best and "reference" in pool[0].roles
    roles = {role for candidate in pool for role in candidate.roles}
    assert "largest" in roles and (count == 2 or {"path of 3", "six 3x3"} <= roles)


def test_a_wider_network_of_fewer_bits_competes() -> None:
    """Where flash is scarce, the pool has networks of both widths, and the widest has 4 bits."""
    scarce = board(flash_bytes=14_000)
    plain = feasible_sizes(scarce)
    both = feasible_sizes(replace(scarce, widths=(8, 4)))
    assert len(both.grid) == 2 * len(plain.grid) and set(plain.sizes) <= set(both.sizes)
    pool = build_pool(both, KINDS, 12)
    assert {candidate.architecture.bits for candidate in pool} == {8, 4}  # type: ignore[union-attr]
    widest = [
        max(each.architecture(REFERENCE).channels_at(each.cells - 1) for each in feasible.sizes)
        for feasible in (plain, both)
    ]
    assert widest[1] > widest[0]
    only = feasible_sizes(replace(scarce, widths=(4,)))
    assert {each.bits for each in only.sizes} == {4} and only.best.bits == 4


def test_the_largest_has_the_most_operations() -> None:
    pool = build_pool(feasible_sizes(board()), KINDS, 18)
    most = max(pool, key=lambda each: each.verdict.operations)
    assert "largest" in most.roles


def test_where_memory_limits_nothing_what_can_be_trained_does() -> None:
    strict = board("jetson_orin_nano")
    lax = replace(strict, limits=replace(strict.limits, latency_ms=None, artifact_bytes=None))
    feasible = feasible_sizes(lax)
    pool = build_pool(feasible, KINDS, 6)
    assert all(seconds_per_image(lax.graph(each.architecture)) <= DEAREST * DEAREST_IMAGE_S for each in pool)


def test_no_candidate_starves_the_others() -> None:
    feasible = feasible_sizes(board("jetson_nano"))
    pool = build_pool(feasible, KINDS, 18)
    most = DEAREST * seconds_per_image(board().graph(feasible.best))
    for candidate in pool:
        cost = seconds_per_image(board().graph(candidate.architecture))
        assert cost <= most


def test_cells_go_to_their_positions_and_the_last_one_on() -> None:
    sizes = next(each for each in feasible_sizes(board()).grid if each.cells == 2)
    assert KINDS[1].of(sizes).cells == KINDS[1].cells
    three = next(each for each in feasible_sizes(board(data=None)).grid if each.cells >= 2)
    assert KINDS[0].of(three).cells == (REFERENCE,) * three.cells
