"""What an algorithm may ask for: results of jobs, and decisions that are taken once.

A search is a deterministic function of what it asks: a job's result depends on the job and the data alone, and
what does depend on the clock is a decision that the journal remembers. A search that is run again over the
journal of an interrupted one therefore repeats it up to where it stopped, without computing anything twice, and
goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeVar

from toolchain.search.executors import Executor
from toolchain.search.journal import Entry, Journal

Job = dict[str, Any]
"""JSON data with a ``kind``; ``toolchain.search.jobs`` says which there are."""

Result = dict[str, Any]
Value = TypeVar("Value")
Progress = Callable[[str], None]


class Evaluation:
    """Runs jobs on ``executor`` and remembers every result in ``journal``; ``entries`` are those already there.

    ``time_budget_s`` counts all sittings of a search: what earlier ones took is in the entries.
    """

    def __init__(
        self,
        executor: Executor[Job, Result],
        journal: Journal,
        entries: Iterable[Entry],
        time_budget_s: float | None,
        progress: Progress,
    ) -> None:
        self.progress = progress
        self.width = executor.width
        self._executor, self._journal = executor, journal
        self._results: dict[str, Result] = {}
        self._decisions: dict[str, Any] = {}
        spent = 0.0
        for entry in entries:
            spent = max(spent, entry.get("elapsed_s", 0.0))
            if entry["kind"] == "job":
                self._results[_key(entry["job"])] = entry["result"]
            elif entry["kind"] == "decision":
                self._decisions[entry["name"]] = entry["value"]
        self._started = time.monotonic() - spent
        self._deadline = None if time_budget_s is None else self._started + time_budget_s

    @property
    def elapsed_s(self) -> float:
        """Seconds since the search began, over all its sittings."""
        return time.monotonic() - self._started

    @property
    def time_left_s(self) -> float | None:
        """Seconds until the time budget is used up, at least 0; None without a budget."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def results(
        self, jobs: Sequence[Job], *, ended: Callable[[int, Result], None] | None = None
    ) -> list[Result | None]:
        """The results of ``jobs``, in their order; None for those that the time budget left undone.

        ``ended`` is told of each job, by index, as it ends (remembered ones first).
        """
        found: list[Result | None] = [self._results.get(_key(job)) for job in jobs]
        for index, known in enumerate(found):
            if known is not None and ended is not None:
                ended(index, known)
        missing = [index for index, known in enumerate(found) if known is None]
        if not missing or self.time_left_s == 0:
            return found
        with closing(self._executor.results([jobs[index] for index in missing])) as stream:
            for position, result in stream:
                index = missing[position]
                found[index] = self._results[_key(jobs[index])] = result
                self._write({"kind": "job", "job": jobs[index], "result": result})
                if ended is not None:
                    ended(index, result)
                if self.time_left_s == 0:
                    break
        return found

    def once(self, name: str, decide: Callable[[], Value]) -> Value:
        """What ``decide`` gives (JSON data), asked the first time only; afterwards what the journal remembers."""
        if name not in self._decisions:
            self._decisions[name] = decide()
            self._write({"kind": "decision", "name": name, "value": self._decisions[name]})
        value: Value = self._decisions[name]
        return value

    def _write(self, entry: Entry) -> None:
        self._journal.write(entry | {"elapsed_s": round(self.elapsed_s, 2)})


def _key(job: Job) -> str:
    return json.dumps(job, sort_keys=True)
