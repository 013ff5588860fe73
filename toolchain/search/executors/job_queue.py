"""Jobs of one batch that wait for a worker, and how often the worker of each has died."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from toolchain.search.executors.base import ATTEMPTS, WorkerDiedError

SHOWN_CHARACTERS = 160
"""Of a job, in an error message."""


class JobQueue:
    """Indices of ``jobs`` in order; a job whose worker died goes to the end, where fewer share the memory."""

    def __init__(self, jobs: Sequence[dict[str, Any]]) -> None:
        self._jobs = jobs
        self._waiting = deque(range(len(jobs)))
        self._deaths: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> int:
        """Index of the job to start next."""
        return self._waiting.popleft()

    def died(self, index: int, how: str) -> None:
        """Queue job ``index`` again, whose worker died (``how``: "killed by SIGKILL").

        Raises ``WorkerDiedError`` if that was its last attempt.
        """
        self._deaths[index] += 1
        if self._deaths[index] < ATTEMPTS:
            self._waiting.append(index)
            return
        job = json.dumps(self._jobs[index], default=str)
        shown = job if len(job) <= SHOWN_CHARACTERS else f"{job[:SHOWN_CHARACTERS]}..."
        raise WorkerDiedError(
            f"job {index} {shown} ended its worker {ATTEMPTS} times (last: {how}); most likely memory ran out: "
            "use fewer workers or a machine with more memory"
        )
