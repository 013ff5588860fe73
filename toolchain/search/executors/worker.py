"""One worker process and the pipe to it: the parent's side, and what runs in it.

The worker sends ``Started``, gets (work, context), then a job at a time, and answers each with its outcome. The pipe
carries pickles, between a process and its own child.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from toolchain.search.executors.environment import SINGLE_THREADED
from toolchain.search.executors.outcome import Failure, attempt, failure, in_words

EXIT_SECONDS = 10
"""In which a process is gone whose pipe is closed."""

# Not fork: of a process with threads (torch, numba) it would copy locks that nobody releases.
_SPAWN = multiprocessing.get_context("spawn")


class Started:
    """The worker's first message."""


class Worker:
    """A process with at most one job, ``index``; whatever is sent to a dead one is lost, and reading tells."""

    def __init__(self) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs,), name="search worker", daemon=True)
        with theirs, _environment_of_workers():
            self.process.start()
        self.index = -1
        self._job: Any = None
        self._prepared = False

    def begin(self, index: int, job: Any) -> None:
        """Send a job, at once or once the process is up."""
        self.index, self._job = index, job
        if self._prepared:
            with contextlib.suppress(OSError):
                self.connection.send(job)

    def prepare(self, work_and_context: Any) -> None:
        """Answer ``Started``."""
        with contextlib.suppress(OSError):
            self.connection.send(work_and_context)
            self.connection.send(self._job)
        self._prepared = True

    def kill(self) -> None:
        """End the process without waiting for it."""
        self.process.kill()
        self.connection.close()

    def death(self) -> str:
        """Bury a process whose pipe broke: how it ended, in words."""
        self.connection.close()
        self.process.join(EXIT_SECONDS)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            return "closed its pipe"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"


@contextlib.contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Processes started inside inherit one thread for mathematics, and SIGINT blocked.

    Ctrl-C goes to every process of the terminal; what becomes of the workers is the parent's decision. Blocked, not
    ignored: a handler set in here would lose a Ctrl-C that comes meanwhile, a mask delivers it afterwards.
    """
    # Started with the first process, the tracker would unblock SIGINT.
    resource_tracker.ensure_running()
    before = {name: os.environ.get(name) for name in SINGLE_THREADED}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(SINGLE_THREADED)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(connection: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Either error: the parent has closed the pipe, and is not interested any more.
    with contextlib.suppress(EOFError, OSError):
        connection.send(Started())
        try:
            work, context = connection.recv()
        except (EOFError, OSError):
            raise
        except Exception as error:
            # A work function that cannot be imported here.
            connection.send(failure(error))
            return
        while True:
            _answer(connection, attempt(work, context, connection.recv()))


def _answer(connection: Connection, outcome: Any) -> None:
    try:
        connection.send(outcome)
    except OSError:
        raise
    except Exception as error:
        # Of a result, some part cannot be pickled; of an exception, its class cannot be found by name.
        lost = outcome if isinstance(outcome, Failure) else failure(error)
        connection.send(replace(lost, error=in_words(lost.error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
