"""What every executor promises; one file beside this one holds each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from toolchain.errors import SpikenasError

C = TypeVar("C")
J = TypeVar("J", bound=dict[str, Any])
R = TypeVar("R", bound=dict[str, Any])

Work = Callable[[C, J], R]
"""A pure function at the top level of a module: context and job to result. It leaves the context as it was."""

ATTEMPTS = 3
"""Times that a job is tried whose worker dies."""


class WorkerDiedError(SpikenasError):
    """A job ended its worker every time that it was tried."""


class Executor(ABC, Generic[J, R]):
    """Runs jobs, ``width`` of them side by side. A context manager; ``close`` ends what it started."""

    width: int
    _iterating = False

    def results(self, jobs: Sequence[J]) -> Generator[tuple[int, R], None, None]:
        """(index of the job, its result), in the order in which jobs end.

        An exception of the work ends the iteration as itself; the worker's traceback is its cause. A job whose
        worker dies is tried again while the others go on, at most ``ATTEMPTS`` times, then raises
        ``WorkerDiedError``. However the iteration ends, jobs in flight are abandoned at once and the executor can
        be used again. Batches follow each other: one begun within another raises ``RuntimeError``.
        """
        if self._iterating:
            raise RuntimeError("an executor runs one batch of jobs at a time")
        self._iterating = True
        try:
            yield from self._results(jobs)
        finally:
            self._iterating = False

    @abstractmethod
    def _results(self, jobs: Sequence[J]) -> Iterator[tuple[int, R]]: ...

    @abstractmethod
    def close(self) -> None:
        """End the workers and drop the context; no batch is begun afterwards."""

    def __enter__(self) -> Executor[J, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
