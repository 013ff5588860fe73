from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.search.pretend import Pretend, pretend, pretend_work
from toolchain.search.journal import Journal, read_journal

JOBS = [{"kind": "training", "architecture": f"a{i}", "seed": i} for i in range(4)]


def test_results_come_in_the_order_of_the_jobs_whatever_ends_first() -> None:
    ended: list[int] = []
    results = pretend().results(JOBS, ended=lambda index, _: ended.append(index))
    assert results == [pretend_work(None, job) for job in JOBS]
    assert ended == [3, 2, 1, 0]


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    executor = Pretend()
    with Journal(tmp_path / "journal") as log:
        evaluation = pretend(executor, journal=log)
        first = evaluation.results(JOBS[:2])
        again = evaluation.results(JOBS)
    assert again[:2] == first and len(executor.asked) == 4
    entries = read_journal(tmp_path / "journal")
    assert [entry["kind"] for entry in entries] == ["job"] * 4
    later = Pretend()
    assert pretend(later, entries=entries).results(JOBS) == again and later.asked == []


def test_a_result_is_on_disk_before_the_next_job_begins(tmp_path: Path) -> None:
    on_disk: list[int] = []

    def work(problem: Any, job: dict[str, Any]) -> dict[str, Any]:
        on_disk.append(len(read_journal(tmp_path / "journal")))
        return pretend_work(problem, job)

    with Journal(tmp_path / "journal") as log:
        pretend(Pretend(work), journal=log).results(JOBS)
    assert on_disk == [0, 1, 2, 3]


def test_a_decision_is_taken_once_and_remembered(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as log:
        assert pretend(journal=log).once("rounds", lambda: 3) == 3
    entries = read_journal(tmp_path / "journal")
    assert pretend(entries=entries).once("rounds", lambda: pytest.fail("asked again")) == 3
    assert pretend(entries=entries).once("other", lambda: False) is False


def test_a_time_budget_leaves_the_rest_undone() -> None:
    executor = Pretend()
    assert pretend(executor, time_budget_s=1e-9).results(JOBS) == [None] * 4
    assert executor.asked == []


def test_time_spent_in_earlier_sittings_counts() -> None:
    entries = [{"kind": "decision", "name": "n", "value": 1, "elapsed_s": 50.0}]
    evaluation = pretend(entries=entries, time_budget_s=60.0)
    assert evaluation.time_left_s is not None and 9 < evaluation.time_left_s <= 10
    assert evaluation.elapsed_s >= 50
