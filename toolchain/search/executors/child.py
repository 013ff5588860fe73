"""A process of our own and the pipe to it, which carries pickles between it and its parent only."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from toolchain.search.executors.environment import ENVIRONMENT
from toolchain.search.executors.outcome import Failure, failure, in_words

EXIT_SECONDS = 10
"""In which a process is gone whose pipe is closed."""

# Not fork: of a process with threads (torch, numba) it would copy locks that nobody releases.
_SPAWN = multiprocessing.get_context("spawn")


class Child:
    """A process that runs ``target(connection, *args)``, a function at the top level of a module.

    It starts with one thread for mathematics and deaf to Ctrl-C, which is for the parent to act on. It ends when
    the parent does, however that happens: reading from the pipe raises ``EOFError``, and ``grace_seconds`` later it
    is over, whatever it is doing.
    """

    def __init__(
        self, name: str, target: Callable[..., None], *args: Any, grace_seconds: float = 0.0
    ) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(
            target=_run, args=(theirs, grace_seconds, target, args), name=name, daemon=True
        )
        with theirs, _environment_of_children():
            self.process.start()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join()
        self._close()

    def death(self) -> str:
        """Bury a process whose pipe broke: how it ended, in words."""
        self.process.join(EXIT_SECONDS)
        code = self.process.exitcode
        self.kill()
        if code is None:
            return "it hung"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def _close(self) -> None:
        self.connection.close()


def receive_work(connection: Connection) -> tuple[Any, Any] | None:
    """(work, context); None, and a ``Failure`` sent, if one of them cannot be imported here."""
    try:
        work, context = connection.recv()
    except (EOFError, OSError):
        raise
    except Exception as error:
        connection.send(failure(error))
        return None
    return work, context


def send_outcome(connection: Connection, wrap: Callable[[Any], Any], outcome: Any) -> None:
    """Send ``wrap(outcome)``, or if that cannot be pickled, ``wrap`` of a ``Failure`` that says so."""
    try:
        connection.send(wrap(outcome))
    except OSError:
        raise
    except Exception as error:
        # Of a result, some part cannot be pickled; of an exception, its class cannot be found by name.
        lost = outcome if isinstance(outcome, Failure) else failure(error)
        connection.send(wrap(replace(lost, error=in_words(lost.error))))


@contextlib.contextmanager
def _environment_of_children() -> Iterator[None]:
    """Processes started inside inherit one thread, and SIGINT blocked.

    Blocked here, not ignored there: a worker that is still importing would print a traceback. And not ignored
    here: a Ctrl-C in these milliseconds would be lost, whereas a mask only delays it.
    """
    # Started with the first process, the tracker would unblock SIGINT.
    resource_tracker.ensure_running()
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _run(
    connection: Connection, grace_seconds: float, target: Callable[..., None], args: tuple[Any, ...]
) -> None:
    threading.Thread(target=_end_with_parent, args=(grace_seconds,), daemon=True).start()
    # Either error: the parent has closed the pipe.
    with contextlib.suppress(EOFError, OSError):
        target(connection, *args)


def _end_with_parent(grace_seconds: float) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    time.sleep(grace_seconds)
    os._exit(1)
