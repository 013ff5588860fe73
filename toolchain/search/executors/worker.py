"""A process that runs jobs one after the other: the parent's side, and what runs in it.

It gets (work, context), then jobs, and answers each with its outcome.
"""

from __future__ import annotations

import contextlib
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from toolchain.search.executors.child import Child, receive_work, send_outcome
from toolchain.search.executors.outcome import attempt


class Worker(Child):
    """A process with at most one job, ``index``; what is sent to a dead one is lost, and reading tells.

    ``pickled``: (work, context).
    """

    def __init__(self, pickled: bytes, index: int, job: Any) -> None:
        super().__init__("search worker", _serve)
        self.index = index
        # The pipe holds less than a context, and the process reads only once it has imported what it needs.
        self._sender = Thread(target=self._send, args=(pickled, job), daemon=True)
        self._sender.start()

    def _send(self, pickled: bytes, job: Any) -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickled)
            self.connection.send(job)

    def begin(self, index: int, job: Any) -> None:
        """Send the next job, after the outcome of the one before."""
        self.index = index
        with contextlib.suppress(OSError):
            self.connection.send(job)

    def _close(self) -> None:
        # Of a dead process the pipe is broken, so this does not wait long.
        self._sender.join()
        super()._close()


def _serve(connection: Connection) -> None:
    received = receive_work(connection)
    if received is None:
        return
    work, context = received
    while True:
        send_outcome(connection, _bare, attempt(work, context, connection.recv()))


def _bare(outcome: Any) -> Any:
    return outcome
