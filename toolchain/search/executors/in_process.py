"""The executor of one worker: this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic

from toolchain.search.executors.base import C, Executor, J, R, Work


class InProcess(Executor[J, R], Generic[C, J, R]):
    """Runs a job when the caller asks for the next result. A job that ends the process ends the search."""

    width = 1

    def __init__(self, work: Work[C, J, R], context: C) -> None:
        self._work = work
        self._context = context

    def _results(self, jobs: Sequence[J]) -> Iterator[tuple[int, R]]:
        for index, job in enumerate(jobs):
            yield index, self._work(self._context, job)

    def close(self) -> None:
        """Nothing runs between batches."""
