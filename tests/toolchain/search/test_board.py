from __future__ import annotations

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture import snasnet
from toolchain.architecture.text import parse
from toolchain.cost.layout import layout
from toolchain.cost.operations import operations
from toolchain.cost.snasnet import artifact_bytes
from toolchain.errors import InputError
from toolchain.search.board import FRAME_MS

SMALL = parse("t2 leak2 reset-subtract stem4/2 003000 head-count")
LARGE = parse("t8 leak2 reset-subtract stem128/1 333333 stride512 333333 head-flatten")


def test_a_small_network_fits_and_its_figures_are_the_cost_model_s() -> None:
    where = board()
    verdict = where.judge(SMALL)
    plan = layout(where.graph(SMALL), where.profile)
    assert verdict.fits and verdict.dropped_by == []
    assert (
        verdict.footprint.flash_bytes == plan.flash_bytes and verdict.footprint.sram_bytes == plan.sram_bytes
    )
    assert verdict.operations == operations(where.graph(SMALL)).dense
    assert verdict.latency_ms == verdict.footprint.latency_ms


def test_a_large_network_is_over_flash_and_pace() -> None:
    verdict = board().judge(LARGE)
    assert set(verdict.dropped_by) == {"flash", "pace"}
    pace = next(excess for excess in verdict.excesses if excess.limit == "pace")
    assert pace.available == FRAME_MS and pace.used == verdict.latency_ms


def test_the_user_s_latency_replaces_the_pace() -> None:
    strict, lax = board(latency_ms=0.001), board(latency_ms=1e6)
    assert strict.judge(SMALL).dropped_by == ["latency"]
    assert lax.judge(LARGE).dropped_by == ["flash"]


def test_linux_boards_are_held_to_their_own_limits() -> None:
    where = board("raspberry_pi_4b", latency_ms=0.001, artifact_bytes=1024)
    assert where.pace_ms is None
    verdict = where.judge(SMALL)
    assert set(verdict.dropped_by) == {"artifact", "latency"}
    assert verdict.latency_ms == verdict.footprint.latency_ms


def test_what_cannot_be_built_is_bad_input() -> None:
    with pytest.raises(InputError, match="pool4"):
        board().judge(parse("t2 leak2 reset-subtract stem4/1 pool4 pool4 pool4 pool4 head-count"))


def test_networks_of_the_snasnet_space_are_judged_where_they_can_run() -> None:
    architecture = snasnet.parse("snasnet t5 stem8/1 302030 pool2 fc64 voters5")
    nano = board("jetson_nano")
    verdict = nano.judge(architecture)
    assert verdict.fits and verdict.footprint.artifact_bytes == artifact_bytes(architecture, nano.pixels, 3)
    narrow = board("jetson_nano", artifact_bytes=verdict.footprint.artifact_bytes - 1)
    assert narrow.judge(architecture).dropped_by == ["artifact"]
    with pytest.raises(InputError, match="stm32f405 is not to be had for networks of the snasnet space"):
        board("stm32f405").judge(architecture)
    with pytest.raises(InputError, match="A graph of spikes is not to be had"):
        nano.graph(architecture)
