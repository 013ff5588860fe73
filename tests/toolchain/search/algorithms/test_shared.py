"""What every algorithm keeps to; results of jobs are pretended, so that hundreds of searches take seconds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.data import bars
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend
from toolchain.architecture.text import to_text
from toolchain.errors import InputError, OverBudgetError
from toolchain.search.algorithms import algorithm
from toolchain.search.algorithms.base import Found
from toolchain.search.problem import Problem
from toolchain.search.settings import SearchSettings

NAMES = ("spikenas", "random", "evolution")
"""Those whose networks can be deployed."""

every = pytest.mark.parametrize("name", NAMES)


def found(
    name: str, executor: Pretend | None = None, seed: int = 0, profile: str = "stm32f405", **limits: Any
) -> Found:
    problem = Problem(board(profile, bars(), **limits), bars(), SearchSettings(seed))
    return algorithm(name).run(problem, pretend(executor))


@every
def test_the_same_seed_asks_for_the_same_and_finds_the_same(name: str) -> None:
    executors = [Pretend() for _ in range(3)]
    networks = [found(name, executor, seed) for executor, seed in zip(executors, (1, 1, 2), strict=True)]
    assert networks[0].chosen == networks[1].chosen
    assert executors[0].asked == executors[1].asked != executors[2].asked


@every
def test_jobs_are_json_and_enough_to_repeat_them(name: str) -> None:
    executor = Pretend()
    found(name, executor)
    assert executor.asked
    for job in executor.asked:
        assert json.loads(json.dumps(job)) == job and job["kind"] in ("scores", "training")


@every
def test_what_is_chosen_was_trained_and_is_told_of(name: str) -> None:
    result = found(name)
    ids = [each.candidate.id for each in result.trained]
    assert result.chosen.id in ids and len(set(ids)) == len(ids)
    assert result.counts.trained == len(ids) and result.counts.space > 0


@every
def test_with_no_time_at_all_something_that_fits_is_returned(name: str) -> None:
    where = board(data=bars())
    problem = Problem(where, bars(), SearchSettings(time_budget_s=1e-9))
    result = algorithm(name).run(problem, pretend(time_budget_s=1e-9))
    assert result.trained == () and where.judge(result.chosen.architecture).fits


@every
def test_nothing_fits(name: str) -> None:
    with pytest.raises(OverBudgetError, match="even the smallest misses"):
        found(name, flash_bytes=1024)


budgets = st.one_of(
    st.fixed_dictionaries(
        {"profile": st.sampled_from(["stm32f405", "rp2040", "nrf52840", "crazyflie_2_1", "mps3_an547"])},
        optional={
            "flash_bytes": st.integers(5_000, 120_000),
            "sram_bytes": st.integers(2_300, 12_000),
            "latency_ms": st.floats(0.05, 50),
            "operations": st.integers(1_000, 10_000_000),
        },
    ),
    st.fixed_dictionaries(
        {"profile": st.sampled_from(["jetson_nano", "raspberry_pi_4b", "raspberry_pi_zero_2w"])},
        optional={
            "artifact_bytes": st.integers(5_000, 500_000),
            "resident_bytes": st.integers(10 << 20, 16 << 20),
            "latency_ms": st.floats(0.01, 16),
            "energy_mj": st.floats(0.01, 50),
        },
    ),
)


@every
@settings(deadline=None, max_examples=20, derandomize=True)
@given(budgets, st.integers(0, 100))
def test_every_network_trained_is_within_budget(name: str, wanted: dict[str, Any], seed: int) -> None:
    try:
        result = found(name, seed=seed, **wanted)
    except OverBudgetError as error:
        assert "misses" in str(error)
        return
    for each in result.trained:
        verdict = result.board.judge(each.candidate.architecture)
        assert verdict.fits and verdict == each.candidate.verdict, to_text(verdict.architecture)


def test_no_other_algorithm() -> None:
    with pytest.raises(InputError, match="choose one of spikenas"):
        algorithm("genetic")
