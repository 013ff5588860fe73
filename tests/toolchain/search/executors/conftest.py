"""One executor of each kind for all tests here, because a Ray cluster takes ten seconds to start."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.toolchain.search.executors import jobs
from tests.toolchain.search.executors.watching import alive, until
from toolchain.search.executors import Executor, Workers, open_executor
from toolchain.search.executors.ray_cluster import RayCluster

APART = ["processes", "Ray"]
"""Kinds whose jobs run in other processes."""

KINDS = ["in process", *APART]


def _open(kind: str) -> Executor[Any, Any]:
    if kind == "Ray":
        return RayCluster("local", jobs.perform, jobs.context(), processors=2)
    return open_executor(Workers(count=1 if kind == "in process" else 2), jobs.perform, jobs.context())


@pytest.fixture(scope="session")
def opened() -> Iterator[dict[str, Executor[Any, Any]]]:
    """Executors that tests have asked for."""
    kinds: dict[str, Executor[Any, Any]] = {}
    with pytest.MonkeyPatch.context() as patch:
        # Ray would write a token of its own to the home folder.
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        yield kinds
        raylet = None
        if "Ray" in kinds:
            ((_, place),) = kinds["Ray"].results([{"function": "ray_address"}])
            raylet = place["raylet"]
        for executor in kinds.values():
            executor.close()
    if raylet is not None:
        until(lambda: not alive(raylet))


@pytest.fixture
def executor_of(
    opened: dict[str, Executor[Any, Any]], require_package: Callable[[str], None]
) -> Callable[[str], Executor[Any, Any]]:
    """``executor_of(kind)``; skips the test if the kind is Ray and that is not installed."""

    def get(kind: str) -> Executor[Any, Any]:
        if kind == "Ray":
            require_package("ray")
        if kind not in opened:
            opened[kind] = _open(kind)
        return opened[kind]

    return get


@pytest.fixture(params=KINDS)
def executor(request: pytest.FixtureRequest, executor_of: Callable[[str], Executor[Any, Any]]) -> Any:
    """Runs ``jobs.perform`` with ``jobs.context()``."""
    return executor_of(request.param)


@pytest.fixture(params=APART)
def apart(request: pytest.FixtureRequest, executor_of: Callable[[str], Executor[Any, Any]]) -> Any:
    """The same, of the kinds whose jobs run in other processes."""
    return executor_of(request.param)
