from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.toolchain.search.executors import jobs
from tests.toolchain.search.executors.test_executors import adds, collected
from tests.toolchain.search.executors.test_processes import ROOT
from tests.toolchain.search.executors.watching import alive, children, started, until
from toolchain.errors import InputError, ToolMissingError
from toolchain.search.executors import Executor, Workers, open_executor, ray_cluster
from toolchain.search.executors.ray_cluster import ClusterLostError

PROGRAM = """
import sys
from tests.toolchain.search.executors import jobs
from toolchain.search.executors import Workers, open_executor

if __name__ == "__main__":
    address, folder = sys.argv[1:]
    batch = [{"function": "die", "folder": folder, "number": 9, "deaths": 1}]
    batch += [{"function": "nap", "folder": folder, "number": i, "seconds": 60.0 * i} for i in range(2)]
    with open_executor(Workers(ray=address), jobs.perform, None) as executor:
        for index, result in executor.results(batch):
            print(result["number"], flush=True)
"""


@pytest.fixture
def address(executor_of: Callable[[str], Executor[Any, Any]]) -> str:
    """Of a running cluster that the test did not start."""
    ((_, place),) = executor_of("Ray").results([{"function": "ray_address"}])
    return str(place["address"])


def test_a_cluster_that_was_joined_is_left_running(
    address: str, executor_of: Callable[[str], Executor[Any, Any]]
) -> None:
    with open_executor(Workers(ray=address), jobs.perform, {"base": 7}) as executor:
        assert executor.width == 2
        assert collected(executor, adds(1))[0]["sum"] == 8
        names = {"function": "environment", "names": ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]}
        assert set(collected(executor, [names])[0].values()) == {"1"}
    assert collected(executor_of("Ray"), adds(1))[0]["sum"] == 101


def test_a_program_prints_only_its_own_and_its_jobs_end_with_it(address: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, str(script), address, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        # Job 9 kills its worker, of which Ray tells its client.
        assert sorted(program.stdout.readline() for _ in range(2)) == ["0\n", "9\n"]
        until(lambda: list(tmp_path.glob("1-started-*")))
        offspring = [*children(program.pid), *started(tmp_path)]
        program.kill()
        assert program.communicate() == ("", "")
        until(lambda: not any(map(alive, offspring)), seconds=30)
    finally:
        program.kill()
        program.communicate()


def test_a_lost_cluster_is_one_sentence(address: str) -> None:
    before = set(children(os.getpid()))
    with open_executor(Workers(ray=address), jobs.perform, None) as executor:
        (driver,) = set(children(os.getpid())) - before
        # Ray itself ends its client once the cluster has been gone for a minute.
        os.kill(driver, signal.SIGKILL)
        with pytest.raises(ClusterLostError, match=f"cluster at {address} broke .*resume the search"):
            list(executor.results(adds(1, 2, 3)))


def test_a_wrong_token_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(InputError, match="asks for a token; set RAY_AUTH_MODE=token"):
        open_executor(Workers(ray=address), jobs.perform, None)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "[::1]:1", "127.0.0.1:99999", "no.such.host.invalid:6379"]
)
def test_where_nothing_answers_it_says_so_at_once(
    require_package: Callable[[str], None], address: str
) -> None:
    require_package("ray")
    with pytest.raises(InputError, match="nothing answers at .*ray status"):
        open_executor(Workers(ray=address), jobs.perform, None)


@pytest.mark.parametrize(
    "address", ["", "cluster", "http://host:6379", "host:port", "host:6379/x", "a b:6379"]
)
def test_what_is_no_address_is_refused(require_package: Callable[[str], None], address: str) -> None:
    require_package("ray")
    with pytest.raises(InputError, match="is no address of a Ray cluster; give"):
        open_executor(Workers(ray=address), jobs.perform, None)


@pytest.mark.parametrize(
    ("package", "address", "command"),
    [
        ("ray", "auto", r"pip install 'spikenas-deploy\[ray\]'"),
        ("grpc", "ray://h:1", r"pip install 'ray\[client\]'"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str, address: str, command: str
) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(ToolMissingError, match=command):
        open_executor(Workers(ray=address), jobs.perform, None)
