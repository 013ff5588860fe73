"""One suite for all executors: what ``Executor`` promises."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.toolchain.search.executors import jobs
from toolchain.errors import InputError, SpikenasError
from toolchain.search.executors import ATTEMPTS, Executor, Work, WorkerDiedError, Workers, open_executor
from toolchain.search.executors.outcome import WorkerTraceback

Open = Callable[..., Executor[Any, Any]]

KINDS = {"in process": Workers(), "processes": Workers(count=2)}


@pytest.fixture(params=KINDS)
def open_(request: pytest.FixtureRequest) -> Open:
    """``open_(work, context)``: an executor of each kind."""

    def opened(work: Work, context: Any = None) -> Executor[Any, Any]:
        return open_executor(KINDS[request.param], work, context)

    return opened


@pytest.fixture(params=[kind for kind in KINDS if kind != "in process"])
def open_apart(request: pytest.FixtureRequest) -> Open:
    """The same, of those that work in other processes."""

    def opened(work: Work, context: Any = None) -> Executor[Any, Any]:
        return open_executor(KINDS[request.param], work, context)

    return opened


def collected(executor: Executor[Any, Any], batch: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Results by index; no index comes twice."""
    pairs = list(executor.results(batch))
    by_index = dict(pairs)
    assert len(pairs) == len(by_index)
    return by_index


def test_every_job_gives_its_result_once_and_workers_are_kept(open_: Open) -> None:
    with open_(jobs.add, {"base": 100}) as executor:
        processes = set()
        for size in (0, 1, 20, 3):
            results = collected(executor, [{"number": i} for i in range(size)])
            assert {i: r["sum"] for i, r in results.items()} == {i: 100 + i for i in range(size)}
            processes |= {r["process"] for r in results.values()}
        assert len(processes) <= executor.width


def test_the_context_arrives_as_it_was(open_: Open) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "large": rng.integers(0, 256, (6, 1024, 1024), dtype=np.uint8),
        "bits": rng.integers(0, 2**63, (7, 5), dtype=np.uint64),
        "empty": np.zeros((0, 3), dtype=np.int16),
    }
    context = {"arrays": arrays, "text": "Straße"}
    batch = [{"name": name} for name in arrays]
    with open_(jobs.checksum, context) as executor:
        results = collected(executor, batch)
    assert results == {i: jobs.checksum(context, job) for i, job in enumerate(batch)}


def test_results_come_in_the_order_in_which_jobs_end(open_apart: Open, tmp_path: Path) -> None:
    naps = [1.5, 0.0]
    batch = [{"folder": str(tmp_path), "number": i, "seconds": s} for i, s in enumerate(naps)]
    with open_apart(jobs.nap) as executor:
        assert [index for index, _ in executor.results(batch)] == [1, 0]


def test_an_error_for_the_user_arrives_with_its_type_and_text(open_: Open) -> None:
    with open_(jobs.fail) as executor:
        with pytest.raises(InputError) as caught:
            list(executor.results([{"kind": None}, {"kind": "input"}, {"kind": None}]))
        assert str(caught.value) == "profile x.toml, line 3: no such board; name another"
        assert collected(executor, [{"kind": None}]) == {0: {"kind": None}}


def test_a_bug_arrives_with_its_type_and_the_workers_traceback(open_apart: Open) -> None:
    with open_apart(jobs.fail) as executor:
        with pytest.raises(ValueError) as caught:
            list(executor.results([{"kind": "value"}]))
        assert caught.value.args == ("too small", 3)
        assert isinstance(caught.value.__cause__, WorkerTraceback)
        assert 'raise ValueError("too small", 3)' in str(caught.value.__cause__)


@pytest.mark.parametrize("kind", ["odd", "local"])
def test_an_error_that_cannot_travel_keeps_its_text(open_apart: Open, kind: str) -> None:
    with open_apart(jobs.fail) as executor:
        with pytest.raises(Exception, match="something at somewhere|cannot be imported") as caught:
            list(executor.results([{"kind": kind}]))
        assert "in fail" in str(caught.value.__cause__)


def test_a_result_that_cannot_travel_is_an_error(open_apart: Open) -> None:
    with open_apart(jobs.not_transferable) as executor:
        with pytest.raises(RuntimeError, match="pickle"):
            list(executor.results([{}]))


def test_a_job_whose_worker_dies_is_tried_again_and_the_others_go_on(
    open_apart: Open, tmp_path: Path
) -> None:
    deaths = [0, 1, 0, ATTEMPTS - 1, 0]
    batch = [{"folder": str(tmp_path), "number": i, "deaths": d} for i, d in enumerate(deaths)]
    with open_apart(jobs.die) as executor:
        results = collected(executor, batch)
    assert results == {i: {"number": i} for i in range(len(deaths))}
    tried = [len(list(tmp_path.glob(f"{i}-*"))) for i in range(len(deaths))]
    assert tried == [d + 1 for d in deaths]


def test_a_job_that_always_dies_is_named(open_apart: Open, tmp_path: Path) -> None:
    batch = [{"folder": str(tmp_path), "number": i, "deaths": 99 * (i == 1)} for i in range(4)]
    got = []
    with open_apart(jobs.die) as executor:
        with pytest.raises(
            WorkerDiedError, match=r"^job 1 .*\"deaths\": 99.* 3 times .*fewer workers"
        ) as caught:
            for index, _ in executor.results(batch):
                got.append(index)
        assert isinstance(caught.value, SpikenasError)
        assert 1 not in got
        assert len(list(tmp_path.glob("1-*"))) == ATTEMPTS
        assert collected(executor, batch[2:]) == {0: {"number": 2}, 1: {"number": 3}}


def test_closing_early_abandons_what_runs_and_what_waits(open_apart: Open, tmp_path: Path) -> None:
    seconds = [0.0, *[30.0] * 9]
    batch = [{"folder": str(tmp_path), "number": i, "seconds": s} for i, s in enumerate(seconds)]
    with open_apart(jobs.nap) as executor:
        results = executor.results(batch)
        assert next(results) == (0, {"number": 0})
        until(lambda: len(list(tmp_path.glob("*-started-*"))) > 1)
        begun = time.monotonic()
        results.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begun < 2
        assert list(tmp_path.glob("*-ended")) == [tmp_path / "0-ended"]
        running = [int(mark.name.rpartition("-")[2]) for mark in tmp_path.glob("[1-9]-started-*")]
        until(lambda: not any(map(alive, running)))
        again = tmp_path / "again"
        again.mkdir()
        assert collected(executor, [{**batch[0], "folder": str(again)}]) == {0: {"number": 0}}


def test_in_process_a_job_runs_when_its_result_is_asked_for(tmp_path: Path) -> None:
    batch = [{"folder": str(tmp_path), "number": i, "seconds": 0.0} for i in range(3)]
    with open_executor(Workers(), jobs.nap, None) as executor:
        results = executor.results(batch)
        assert list(tmp_path.iterdir()) == []
        next(results)
        assert len(list(tmp_path.glob("*-ended"))) == 1


def test_batches_do_not_nest(open_: Open) -> None:
    with open_(jobs.add, {"base": 0}) as executor:
        outer = executor.results([{"number": i} for i in range(3)])
        next(outer)
        with pytest.raises(RuntimeError, match="one batch"):
            next(executor.results([{"number": 1}]))
        assert len(list(outer)) == 2


def test_workers_use_one_thread_each(open_apart: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"]
    with open_apart(jobs.environment) as executor:
        assert collected(executor, [{"names": names}]) == {0: dict.fromkeys(names, "1")}
    assert os.environ["OMP_NUM_THREADS"] == "5" and "MKL_NUM_THREADS" not in os.environ


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
