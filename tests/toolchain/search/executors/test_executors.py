"""One suite for all executors: what ``Executor`` promises."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.search.executors import jobs
from tests.toolchain.search.executors.watching import alive, started, until
from toolchain.errors import InputError, SpikenasError
from toolchain.search.executors import ATTEMPTS, Executor, WorkerDiedError, Workers, open_executor
from toolchain.search.executors.outcome import WorkerTraceback

Any_ = Executor[Any, Any]


def collected(executor: Any_, batch: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Results by index; no index comes twice."""
    pairs = list(executor.results(batch))
    by_index = dict(pairs)
    assert len(pairs) == len(by_index)
    return by_index


def adds(*numbers: int) -> list[dict[str, Any]]:
    return [{"function": "add", "number": number} for number in numbers]


def naps(folder: Path, *seconds: float) -> list[dict[str, Any]]:
    return [
        {"function": "nap", "folder": str(folder), "number": i, "seconds": s} for i, s in enumerate(seconds)
    ]


def deaths(folder: Path, *counts: int) -> list[dict[str, Any]]:
    return [
        {"function": "die", "folder": str(folder), "number": i, "deaths": n} for i, n in enumerate(counts)
    ]


def test_every_job_gives_its_result_once_and_workers_are_kept(executor: Any_) -> None:
    processes = set()
    for size in (0, 1, 20, 3):
        results = collected(executor, adds(*range(size)))
        assert {i: r["sum"] for i, r in results.items()} == {i: 100 + i for i in range(size)}
        processes |= {r["process"] for r in results.values()}
    assert len(processes) <= executor.width + 1  # Ray keeps a spare


def test_the_context_arrives_as_it_was(executor: Any_) -> None:
    context = jobs.context()
    batch = [{"function": "checksum", "name": name} for name in context["arrays"]]
    assert collected(executor, batch) == {i: jobs.checksum(context, job) for i, job in enumerate(batch)}


def test_results_come_in_the_order_in_which_jobs_end(apart: Any_, tmp_path: Path) -> None:
    collected(apart, adds(0, 1))
    assert [index for index, _ in apart.results(naps(tmp_path, 1.0, 0.0))] == [1, 0]


def test_an_error_for_the_user_arrives_with_its_type_and_text(executor: Any_) -> None:
    fine = {"function": "fail", "kind": None}
    with pytest.raises(InputError) as caught:
        list(executor.results([fine, {"function": "fail", "kind": "input"}, fine]))
    assert type(caught.value) is InputError
    assert str(caught.value) == "profile x.toml, line 3: no such board; name another"
    assert collected(executor, [fine]) == {0: {"kind": None}}


def test_a_bug_arrives_with_its_type_and_the_workers_traceback(apart: Any_) -> None:
    with pytest.raises(ValueError) as caught:
        list(apart.results([{"function": "fail", "kind": "value"}]))
    assert type(caught.value) is ValueError and caught.value.args == ("too small", 3)
    assert isinstance(caught.value.__cause__, WorkerTraceback)
    assert 'raise ValueError("too small", 3)' in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("kind", "text"), [("odd", "something at somewhere"), ("local", "of a class without a name")]
)
def test_an_error_that_cannot_travel_keeps_its_text(apart: Any_, kind: str, text: str) -> None:
    with pytest.raises(RuntimeError, match=text) as caught:
        list(apart.results([{"function": "fail", "kind": kind}]))
    assert "in fail" in str(caught.value.__cause__)


def test_a_result_that_cannot_travel_is_an_error(apart: Any_) -> None:
    with pytest.raises(Exception, match="pickle"):
        list(apart.results([{"function": "not_transferable"}]))
    assert collected(apart, [{"function": "nothing"}]) == {0: None}


def test_a_job_whose_worker_dies_is_tried_again_and_the_others_go_on(apart: Any_, tmp_path: Path) -> None:
    counts = [0, 1, 0, ATTEMPTS - 1, 0]
    assert collected(apart, deaths(tmp_path, *counts)) == {i: {"number": i} for i in range(len(counts))}
    tried = [len(list(tmp_path.glob(f"{i}-*"))) for i in range(len(counts))]
    assert tried == [count + 1 for count in counts]


def test_a_job_that_always_dies_is_named(apart: Any_, tmp_path: Path) -> None:
    batch = deaths(tmp_path, 0, 99, 0)
    got = []
    with pytest.raises(WorkerDiedError, match=r"^job 1 .*\"deaths\": 99.* 3 times .*fewer workers") as caught:
        for index, _ in apart.results(batch):
            got.append(index)
    assert isinstance(caught.value, SpikenasError)
    assert 1 not in got
    assert len(list(tmp_path.glob("1-*"))) == ATTEMPTS
    assert collected(apart, batch[2:]) == {0: {"number": 2}}


def test_closing_early_abandons_what_runs_and_what_waits(apart: Any_, tmp_path: Path) -> None:
    results = apart.results(naps(tmp_path, 0.0, *[60.0] * 9))
    assert next(results) == (0, {"number": 0})
    until(lambda: len(started(tmp_path)) == 3)
    # The process of job 0 may well be idle.
    running = [int(mark.name.rpartition("-")[2]) for mark in tmp_path.glob("[1-9]-started-*")]
    begun = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 2
    until(lambda: not any(map(alive, running)))
    assert collected(apart, adds(5))[0]["sum"] == 105
    assert len(started(tmp_path)) == 3 and list(tmp_path.glob("*-ended")) == [tmp_path / "0-ended"]


def test_in_process_a_job_runs_when_its_result_is_asked_for(tmp_path: Path) -> None:
    with open_executor(Workers(), jobs.nap, None) as executor:
        results = executor.results(naps(tmp_path, 0.0, 0.0))
        assert list(tmp_path.iterdir()) == []
        assert next(results) == (0, {"number": 0})
        assert len(list(tmp_path.glob("*-ended"))) == 1


def test_batches_do_not_nest(executor: Any_) -> None:
    outer = executor.results(adds(0, 1, 2))
    next(outer)
    with pytest.raises(RuntimeError, match="one batch"):
        next(executor.results(adds(1)))
    assert len(list(outer)) == 2


def test_workers_use_one_thread_each(apart: Any_) -> None:
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"]
    assert collected(apart, [{"function": "environment", "names": names}]) == {0: dict.fromkeys(names, "1")}
