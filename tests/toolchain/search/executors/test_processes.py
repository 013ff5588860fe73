from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.search.executors import jobs
from tests.toolchain.search.executors.test_executors import adds, collected, deaths
from tests.toolchain.search.executors.watching import alive, children, started, until
from toolchain.search.executors import Executor, WorkerDiedError, Workers, open_executor

ROOT = Path(__file__).resolve().parents[4]

PROGRAM = """
import sys
from tests.toolchain.search.executors import jobs
from toolchain.search.executors import Workers, open_executor

if __name__ == "__main__":
    batch = [{"folder": sys.argv[1], "number": i, "seconds": 60.0} for i in range(4)]
    try:
        with open_executor(Workers(count=2), jobs.nap, None) as executor:
            list(executor.results(batch))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """A process with two workers, in a process group of its own as a shell would start it."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("moment", ["workers start", "workers work"])
def test_an_interruption_is_the_parents_to_handle(
    program: subprocess.Popen[str], tmp_path: Path, moment: str
) -> None:
    if moment == "workers start":
        until(lambda: children(program.pid))
    else:
        until(lambda: len(started(tmp_path)) == 2)
    offspring = children(program.pid)
    os.killpg(program.pid, signal.SIGINT)
    assert program.communicate(timeout=20) == ("interrupted\n", "")
    until(lambda: not any(map(alive, offspring)))


def test_workers_end_with_their_parent(program: subprocess.Popen[str], tmp_path: Path) -> None:
    until(lambda: len(started(tmp_path)) == 2)
    offspring = children(program.pid)
    assert set(started(tmp_path)) <= set(offspring)
    program.kill()
    until(lambda: not any(map(alive, offspring)))
    assert program.communicate() == ("", "")


def test_the_environment_of_the_parent_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
    with open_executor(Workers(count=2), jobs.environment, None) as executor:
        assert collected(executor, [{"names": names}]) == {0: dict.fromkeys(names, "1")}
        assert os.environ["OMP_NUM_THREADS"] == "5" and "MKL_NUM_THREADS" not in os.environ
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_an_idle_worker_that_dies_is_replaced() -> None:
    with open_executor(Workers(count=2), jobs.add, {"base": 0}) as executor:
        workers = {r["process"] for r in collected(executor, adds(*range(20))).values()}
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert len(collected(executor, adds(*range(20)))) == 20


def test_how_a_worker_died_is_told(tmp_path: Path) -> None:
    with open_executor(Workers(count=2), jobs.die, None) as executor:
        with pytest.raises(WorkerDiedError, match="last: killed by SIGKILL"):
            collected(executor, deaths(tmp_path, 9))


def test_closing_ends_the_workers(tmp_path: Path) -> None:
    executor: Executor[Any, Any] = open_executor(Workers(count=2), jobs.add, {"base": 0})
    workers = [r["process"] for r in collected(executor, adds(*range(20))).values()]
    executor.close()
    assert not any(map(alive, workers))


def test_work_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(Exception, match="pickle"):
        open_executor(Workers(count=2), lambda context, job: job, None)
