"""Ray: a cluster's processors, or this machine's, with the context once in the object store of each node.

Ray's client lives in a process of its own (``ray_driver``), because it prints to stdout, where data goes, tries to
connect for minutes that nothing can interrupt, and exits the process when it loses its cluster.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, Generic

from toolchain.errors import InputError, SpikenasError, ToolMissingError
from toolchain.search.executors.base import C, Executor, J, R, Work
from toolchain.search.executors.child import Child
from toolchain.search.executors.job_queue import JobQueue
from toolchain.search.executors.outcome import Failure
from toolchain.search.executors.ray_driver import Abandon, Answer, Close, Death, Submit, Width, drive

JOIN_SECONDS = 30
"""For a cluster to answer; it takes two when all is well."""

START_SECONDS = 120
"""For a cluster of our own; a busy machine of two processors needs ten."""

PROBE_SECONDS = 5
"""For a port to accept a connection."""

CLOSE_SECONDS = 20
"""For a cluster of our own to be shut down."""

SUBMITTED_PER_PROCESSOR = 2
"""Jobs at a time: none waits for the next, and few have to be cancelled."""

_ADDRESS = re.compile(r"(?P<client>ray://)?\[?(?P<host>[^\s/\[\]]+?)\]?:(?P<port>\d{1,5})")


class ClusterLostError(SpikenasError):
    """The cluster went away while jobs ran."""


class RayCluster(Executor[J, R], Generic[C, J, R]):
    """Jobs as Ray tasks of one processor each.

    ``processors``: of a cluster that is started here ("local"); None takes all. Only such a cluster is shut down by
    ``close``. Raises ``ToolMissingError`` without Ray, ``InputError`` if the cluster cannot be reached.
    """

    def __init__(self, address: str, work: Work[C, J, R], context: C, processors: int | None = None) -> None:
        _require(address)
        self._address = address
        self._tickets = 0
        self._driver = Child("Ray driver", drive, address, processors, grace_seconds=CLOSE_SECONDS)
        try:
            self._open((work, context))
        except BaseException:
            self._driver.kill()
            raise

    def _open(self, work_and_context: Any) -> None:
        with contextlib.suppress(OSError):
            self._driver.connection.send(work_and_context)
        seconds = START_SECONDS if self._address == "local" else JOIN_SECONDS
        if not self._driver.connection.poll(seconds):
            raise InputError(
                f'the Ray cluster at "{self._address}" did not answer within {seconds} seconds; check the address, and '
                "that the cluster runs (`ray status` on its head node)"
            )
        self._see_to(self._receive())

    def _results(self, jobs: Sequence[J]) -> Iterator[tuple[int, R]]:
        queue = JobQueue(jobs)
        submitted: dict[int, int] = {}
        try:
            while queue or submitted:
                while queue and len(submitted) < SUBMITTED_PER_PROCESSOR * self.width:
                    self._tickets += 1
                    submitted[self._tickets] = index = queue.take()
                    # A lost driver is told by what is read from it.
                    with contextlib.suppress(OSError):
                        self._driver.connection.send(Submit(self._tickets, jobs[index]))
                answer = self._see_to(self._receive())
                # Others answer a batch that was abandoned.
                if answer is None or answer.ticket not in submitted:
                    continue
                index = submitted.pop(answer.ticket)
                if isinstance(answer.outcome, Death):
                    queue.died(index, answer.outcome.how)
                elif isinstance(answer.outcome, Failure):
                    answer.outcome.reraise()
                else:
                    yield index, answer.outcome
        finally:
            if submitted:
                with contextlib.suppress(OSError):
                    self._driver.connection.send(Abandon())

    def _receive(self) -> Any:
        try:
            return self._driver.connection.recv()
        except (EOFError, OSError):
            raise ClusterLostError(
                f"the connection to the Ray cluster at {self._address} broke ({self._driver.death()}); start the "
                "cluster again if it is gone, then resume the search"
            ) from None

    def _see_to(self, message: Any) -> Answer | None:
        if isinstance(message, Failure):
            message.reraise()
        if isinstance(message, Width):
            self.width = message.processors
            return None
        assert isinstance(message, Answer)
        return message

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._driver.connection.send(Close())
        self._driver.process.join(CLOSE_SECONDS)
        self._driver.kill()


def _require(address: str) -> None:
    if find_spec("ray") is None:
        raise ToolMissingError("searching on Ray needs its package: pip install 'spikenas-deploy[ray]'")
    if address in ("auto", "local"):
        return
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InputError(
            f'"{address}" is no address of a Ray cluster; give host:port, ray://host:port, auto (the cluster that '
            "this machine belongs to) or local (this machine alone)"
        )
    if match["client"] and find_spec("grpc") is None:
        raise ToolMissingError("addresses with ray:// need Ray's client: pip install 'ray[client]'")
    try:
        socket.create_connection((match["host"], int(match["port"])), PROBE_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise InputError(
            f"nothing answers at {address} ({error}); check the address, that the Ray cluster runs (`ray status` on "
            "its head node) and that no firewall is between"
        ) from error
