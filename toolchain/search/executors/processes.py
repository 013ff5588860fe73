"""Processes on this machine, each with its own pipe, so that one dies without the others noticing."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Generic

from toolchain.search.executors.base import C, Executor, J, R, Work
from toolchain.search.executors.job_queue import JobQueue
from toolchain.search.executors.outcome import Failure
from toolchain.search.executors.worker import Worker


class Processes(Executor[J, R], Generic[C, J, R]):
    """``count`` processes, started with the first jobs; each gets the context once."""

    def __init__(self, count: int, work: Work[C, J, R], context: C) -> None:
        self.width = count
        self._pickled = pickle.dumps((work, context), protocol=pickle.HIGHEST_PROTOCOL)
        self._idle: list[Worker] = []
        self._busy: dict[Connection, Worker] = {}

    def _results(self, jobs: Sequence[J]) -> Iterator[tuple[int, R]]:
        queue = JobQueue(jobs)
        try:
            while queue or self._busy:
                self._occupy(queue, jobs)
                result = self._next_message(queue)
                # Before the caller sees a result, its worker has the next job: callers take their time.
                self._occupy(queue, jobs)
                if result is not None:
                    yield result
        finally:
            while self._busy:
                self._busy.popitem()[1].kill()

    def _occupy(self, queue: JobQueue, jobs: Sequence[J]) -> None:
        while queue and len(self._busy) < self.width:
            index = queue.take()
            worker = self._idle_worker()
            if worker is None:
                worker = Worker(self._pickled, index, jobs[index])
            else:
                worker.begin(index, jobs[index])
            self._busy[worker.connection] = worker

    def _idle_worker(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.is_alive():
                return worker
            worker.kill()
        return None

    def _next_message(self, queue: JobQueue) -> tuple[int, R] | None:
        """Wait for any worker: the result of its job; None if it died."""
        connection = wait(list(self._busy))[0]
        assert isinstance(connection, Connection)
        worker = self._busy[connection]
        try:
            message = connection.recv()
        except (EOFError, OSError):
            del self._busy[connection]
            queue.died(worker.index, worker.death())
            return None
        self._idle.append(self._busy.pop(connection))
        if isinstance(message, Failure):
            message.reraise()
        return worker.index, message

    def close(self) -> None:
        for worker in (*self._busy.values(), *self._idle):
            worker.kill()
        self._busy.clear()
        self._idle.clear()
        self._pickled = b""
