from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.data import bars
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend, pretend_work
from toolchain.search import rounds
from toolchain.search.feasible import feasible_sizes
from toolchain.search.journal import Journal, read_journal
from toolchain.search.pool import Kind, build_pool
from toolchain.search.problem import Problem
from toolchain.search.rounds import train_in_rungs, training_seconds
from toolchain.search.settings import SearchSettings
from toolchain.search.space import LARGEST, REFERENCE

FEASIBLE = feasible_sizes(board())
POOL = build_pool(FEASIBLE, [Kind("reference", (REFERENCE,)), Kind("six 3x3", (LARGEST,))], 6)


def problem(**extent: Any) -> Problem:
    return Problem(board(), bars(), SearchSettings(**extent))


def test_without_a_time_budget_the_seconds_follow_from_the_data() -> None:
    executor = Pretend()
    seconds = training_seconds(problem(), pretend(executor), FEASIBLE.best)
    assert seconds == pytest.approx(rounds.SECONDS_PER_TRAINING_IMAGE * 60) and executor.asked == []


def test_with_one_they_follow_from_how_fast_this_machine_trains() -> None:
    def slow(_: Any, job: dict[str, Any]) -> dict[str, Any]:
        return pretend_work(None, job) | {"seconds": 10.0}

    timed = problem(time_budget_s=100.0)
    fast_s = training_seconds(timed, pretend(time_budget_s=100.0), FEASIBLE.best)
    slow_s = training_seconds(timed, pretend(Pretend(slow), time_budget_s=100.0), FEASIBLE.best)
    assert fast_s == pytest.approx(100 * slow_s, rel=0.01)


def test_finalists_are_trained_from_two_seeds() -> None:
    trained = train_in_rungs(problem(), pretend(), POOL, 100.0)
    assert len(trained) == 6
    assert {len(each.outcomes) for each in trained if each.rung == 1} == {2}


def test_time_that_is_left_trains_finalists_from_further_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_ROUNDS", 3)
    executor = Pretend()
    trained = train_in_rungs(
        problem(time_budget_s=100.0), pretend(executor, time_budget_s=100.0), POOL, 100.0
    )
    finalists = [each for each in trained if each.rung == 1]
    assert {len(each.outcomes) for each in finalists} == {5}
    seeds = {job["seed"] for job in executor.asked if job["architecture"]}
    assert len(seeds) == 1 + 2 + 3


def test_a_line_for_every_training() -> None:
    said: list[str] = []
    train_in_rungs(problem(), pretend(progress=said.append), POOL, 100.0)
    assert len(said) == 6 + 2 * 2
    assert said[0].startswith("rung 1 of 2: 1 of 6 trained, ") and "best so far" in said[0]
    assert "left" in said[0] and "left" not in said[-1]


def test_another_sitting_plans_as_the_first_did_whatever_its_workers(tmp_path: Path) -> None:
    timed = problem(time_budget_s=100.0)
    with Journal(tmp_path / "journal") as log:
        first = training_seconds(timed, pretend(journal=log, time_budget_s=100.0), FEASIBLE.best)
    other = Pretend()
    other.width = 4
    entries = read_journal(tmp_path / "journal")
    late = pretend(other, entries=entries, time_budget_s=1e-9)
    assert training_seconds(timed, late, FEASIBLE.best) == first and other.asked == []
