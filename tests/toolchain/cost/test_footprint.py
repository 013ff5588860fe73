from __future__ import annotations

from dataclasses import replace

import pytest

from exporters.base import chosen
from tests.support.architectures import LINES, untrained
from toolchain import profiles
from toolchain.cost.artifacts import DEFAULTS, ON_PROCESSOR, TARGETS, artifact_bytes, resident_bytes
from toolchain.cost.figures import require_predictable
from toolchain.cost.footprint import Excess, excesses, footprint
from toolchain.cost.layout import layout
from toolchain.cost.operations import operations
from toolchain.errors import InputError
from toolchain.profiles.budget import budget

GRAPH = untrained(LINES[0])


def test_a_microcontroller_s_footprint_is_its_layout() -> None:
    profile = profiles.load("stm32f405")
    used, plan = footprint(GRAPH, profile), layout(GRAPH, profile)
    assert (used.flash_bytes, used.sram_bytes) == (plan.flash_bytes, plan.sram_bytes)
    assert used.artifact_bytes is None and used.latency_ms is not None
    assert excesses(used, budget(profile)) == []


@pytest.mark.parametrize("name", ["jetson_nano", "raspberry_pi_4b"])
def test_a_linux_board_s_footprint_is_file_memory_and_time(name: str) -> None:
    profile = profiles.load(name)
    used = footprint(GRAPH, profile)
    assert used.flash_bytes is None and used.regions == ()
    assert used.artifact_bytes and used.resident_bytes and used.latency_ms
    assert excesses(used, budget(profile)) == []


def test_every_limit_that_is_broken_is_named_with_both_sides() -> None:
    profile = profiles.load("stm32f405")
    used = footprint(GRAPH, profile)
    assert used.flash_bytes is not None and used.sram_bytes is not None
    narrow = budget(profile, flash_bytes=used.flash_bytes - 1, sram_bytes=used.sram_bytes)
    assert excesses(used, narrow) == [Excess("flash", used.flash_bytes, used.flash_bytes - 1)]
    assert excesses(used, budget(profile, flash_bytes=used.flash_bytes)) == []
    slow = profiles.load("jetson_nano")
    taken = footprint(GRAPH, slow)
    assert taken.latency_ms is not None and taken.artifact_bytes is not None
    limits = replace(budget(slow), latency_ms=taken.latency_ms / 2, artifact_bytes=taken.artifact_bytes - 1)
    assert [excess.limit for excess in excesses(taken, limits)] == ["artifact", "latency"]


def test_a_region_that_overflows_is_named_once() -> None:
    profile = profiles.load("rp2040")
    large = untrained("t8 leak2 reset-subtract stem128/1 333333 head-count", side=64)
    over = excesses(footprint(large, profile), budget(profile))
    assert over and len({excess.limit for excess in over}) == len(over)
    assert all(excess.used > excess.available for excess in over)


def test_a_narrowed_total_speaks_for_a_region_of_the_same_name() -> None:
    profile = profiles.load("stm32f405")
    large = untrained("t8 leak2 reset-subtract stem128/1 333333 head-count", side=64)
    used = footprint(large, profile)
    over = {excess.limit: excess for excess in excesses(used, budget(profile, sram_bytes=20_000))}
    assert over["sram"] == Excess("sram", used.sram_bytes or 0, 20_000)


def test_a_microcontroller_s_latency_limit_is_held() -> None:
    profile = profiles.load("stm32f405")
    used = footprint(GRAPH, profile)
    assert used.latency_ms is not None
    over = excesses(used, budget(profile, latency_ms=used.latency_ms / 2))
    assert over == [Excess("latency", used.latency_ms, used.latency_ms / 2)]


@pytest.mark.parametrize("name", ["stm32f405", "jetson_nano"])
def test_energy_is_the_active_power_for_the_time_of_an_image(name: str) -> None:
    profile = profiles.load(name)
    used = footprint(GRAPH, profile)
    assert profile.power is not None and used.latency_ms is not None
    assert used.energy_mj == pytest.approx(profile.power.active_mw / 1000 * used.latency_ms)
    assert footprint(GRAPH, profile.model_copy(update={"power": None})).energy_mj is None


@pytest.mark.parametrize("name", ["stm32f405", "jetson_nano"])
def test_energy_and_operations_are_held(name: str) -> None:
    profile = profiles.load(name)
    used = footprint(GRAPH, profile)
    assert used.energy_mj is not None and used.operations == operations(GRAPH).dense
    exact = budget(profile, energy_mj=used.energy_mj, operations=used.operations)
    assert excesses(used, exact) == []
    narrow = budget(profile, energy_mj=used.energy_mj / 2, operations=used.operations - 1)
    assert excesses(used, narrow) == [
        Excess("energy", used.energy_mj, used.energy_mj / 2),
        Excess("operations", used.operations, used.operations - 1),
    ]


def test_resident_memory_is_held() -> None:
    profile = profiles.load("jetson_nano")
    used = footprint(GRAPH, profile)
    assert used.resident_bytes is not None
    over = excesses(used, budget(profile, resident_bytes=used.resident_bytes - 1))
    assert over == [Excess("resident", used.resident_bytes, used.resident_bytes - 1)]


def test_the_budget_s_targets_decide_which_file_counts() -> None:
    profile, graph = profiles.load("raspberry_pi_4b"), untrained(LINES[0])
    for target in TARGETS:
        found = footprint(graph, profile, (target,))
        assert found.artifact_bytes == artifact_bytes(graph, target, profile)
        estimated = target in ON_PROCESSOR
        assert found.resident_bytes == (resident_bytes(graph, target) if estimated else None)
        assert (found.latency_ms is not None, found.energy_mj is not None) == (estimated, estimated)
    every = footprint(graph, profile, TARGETS).artifact_bytes
    assert every == max(artifact_bytes(graph, target, profile) for target in TARGETS)


@pytest.mark.parametrize(
    ("board", "target", "instead"),
    [
        ("stm32f405", "cpu", "firmware"),
        ("raspberry_pi_4b", "firmware", "cpu or linux"),
        ("raspberry_pi_4b", "tensorrt", "cpu or linux"),
    ],
)
def test_a_target_of_another_board_is_refused(board: str, target: str, instead: str) -> None:
    with pytest.raises(InputError, match=f"^what the target '{target}' takes on {board} .* choose {instead}"):
        profile = profiles.load(board)
        require_predictable(profile, budget(profile, targets=(target,)))


def test_formats_mean_the_targets_that_the_exporters_say() -> None:
    assert {name: chosen((name,), (), ())[0].name for name in DEFAULTS} == DEFAULTS
