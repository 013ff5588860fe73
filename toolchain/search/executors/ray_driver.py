"""The process that talks to Ray for ``ray_cluster``.

It gets (work, context), answers with the cluster's ``Width`` or a ``Failure``, then obeys ``Submit``, ``Abandon`` and
``Close``, and sends an ``Answer`` for each task that ends.
"""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from toolchain.errors import InputError
from toolchain.search.executors.base import Work
from toolchain.search.executors.child import receive_work, send_outcome
from toolchain.search.executors.environment import ENVIRONMENT
from toolchain.search.executors.outcome import attempt, failure

STORE_BYTES = 200_000_000
"""Object store of a cluster of our own, besides the context; results take kilobytes."""

WIDTH_SECONDS = 5
"""Between two looks at a cluster's size; some grow with what is submitted."""


@dataclass(frozen=True)
class Submit:
    """Run a job; ``ticket`` numbers the attempt."""

    ticket: int
    job: Any


@dataclass(frozen=True)
class Abandon:
    """Cancel every task that was submitted."""


@dataclass(frozen=True)
class Close:
    """Leave the cluster, or shut down that of our own."""


@dataclass(frozen=True)
class Width:
    """Processors of the cluster, at least 1: an empty one may grow."""

    processors: int


@dataclass(frozen=True)
class Death:
    """Outcome of a task whose worker or node died."""

    how: str


@dataclass(frozen=True)
class Answer:
    """A task ended; ``outcome`` is a result, ``Failure`` or ``Death``."""

    ticket: int
    outcome: Any


def drive(connection: Connection, address: str, processors: int | None) -> None:
    """Target of the process."""
    _be_silent()
    received = receive_work(connection)
    if received is None:
        return
    work, context = received
    try:
        driver = _Driver(connection, work, context, address, processors)
    except Exception as error:
        connection.send(failure(_explained(error, address)))
        return
    driver.serve()


class _Driver:
    def __init__(
        self,
        connection: Connection,
        work: Work[Any, Any, Any],
        context: Any,
        address: str,
        processors: int | None,
    ) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        if address != "local":
            # Of what listens there already; a wrong token is refused each time.
            os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")
        import ray

        self._ray = ray
        self._connection = connection
        self._work = work
        settings: dict[str, Any] = {"runtime_env": {"env_vars": ENVIRONMENT}}
        if address == "local":
            # Its workers inherit the environment from here.
            settings = {
                "num_cpus": processors,
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES + 2 * len(pickle.dumps(context, protocol=5)),
            }
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **settings)
        self._context = ray.put(context)
        # Attempts are counted by whoever submits.
        self._task: Any = ray.remote(num_cpus=1, max_retries=0)(attempt)
        self._tasks: dict[int, Any] = {}
        self._outbox: SimpleQueue[tuple[Callable[[Any], Any], Any]] = SimpleQueue()
        Thread(target=self._send, daemon=True).start()
        self._look_at_width()

    def serve(self) -> None:
        """Obey until told to close, or until the parent is gone."""
        try:
            while not isinstance(command := self._connection.recv(), Close):
                if isinstance(command, Submit):
                    self._submit(command)
                if isinstance(command, Abandon):
                    self._abandon()
        finally:
            self._ray.shutdown()

    def _submit(self, command: Submit) -> None:
        reference = self._task.remote(self._work, self._context, command.job)
        self._tasks[command.ticket] = reference
        reference.future().add_done_callback(partial(self._answer, command.ticket))
        if time.monotonic() > self._looked + WIDTH_SECONDS:
            self._look_at_width()

    def _abandon(self) -> None:
        for reference in list(self._tasks.values()):
            # By force: the worker is killed, not asked.
            self._ray.cancel(reference, force=True)

    def _look_at_width(self) -> None:
        self._looked = time.monotonic()
        self._outbox.put((Width, max(1, int(self._ray.cluster_resources().get("CPU", 0)))))

    def _answer(self, ticket: int, future: Any) -> None:
        self._tasks.pop(ticket, None)
        error = future.exception()
        outcome = future.result() if error is None else self._judged(error)
        self._outbox.put((partial(Answer, ticket), outcome))

    def _send(self) -> None:
        # In a thread of its own, for a parent that does not read must not hold up Ray's callbacks.
        while True:
            send_outcome(self._connection, *self._outbox.get())

    def _judged(self, error: Exception) -> Any:
        """Of what is no outcome of ``attempt``: a dead worker, or a cluster that cannot run it at all."""
        known = self._ray.exceptions
        if isinstance(
            error,
            (
                known.WorkerCrashedError,
                known.OutOfMemoryError,
                known.NodeDiedError,
                known.LocalRayletDiedError,
                known.ObjectLostError,
            ),
        ):
            return Death(type(error).__name__)
        # Raised outside of ``attempt``: the worker could not import it, or the work.
        advice = "install the same version of spikenas-deploy, with the same Python, on all of its nodes"
        if not isinstance(error, known.RayTaskError):
            advice = "the log files on its head node tell more"
        return failure(InputError(f"the Ray cluster cannot run the search: {_last_line(error)}; {advice}"))


def _explained(error: Exception, address: str) -> InputError:
    where = "start Ray on this machine" if address == "local" else f"join the Ray cluster at {address}"
    chain: list[BaseException] = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    if "AuthToken" in "".join(map(str, chain)):
        return InputError(
            f"cannot {where}: it asks for a token; set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to a file with "
            "what `ray get-auth-token` prints on its head node"
        )
    return InputError(
        f"cannot {where}: {_last_line(error)}; check that it runs, and that it has the same versions of Ray and "
        "Python as this machine"
    )


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _be_silent() -> None:
    """Ray keeps log files; its libraries also write to both streams."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
