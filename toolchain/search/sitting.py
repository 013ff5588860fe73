"""One sitting of what a journal remembers: begun, or gone on with where the sitting before was cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError
from toolchain.search.evaluation import Evaluation, Progress
from toolchain.search.executors import Workers, open_executor
from toolchain.search.jobs import work
from toolchain.search.journal import Entry, Journal, read_journal
from toolchain.search.problem import Problem


@dataclass(frozen=True)
class Sitting:
    """An ``evaluation`` over the journal's ``entries``; it closes with the workers when the sitting ends."""

    evaluation: Evaluation
    _log: Journal
    _entries: list[Entry]

    def conclude(self, entry: Entry) -> None:
        """Write the last line, unless an earlier sitting did."""
        if not any(each["kind"] == entry["kind"] for each in self._entries):
            self._log.write(entry)


@contextmanager
def sitting(
    start: Entry, problem: Problem, *, workers: Workers, journal: Path | None, progress: Progress
) -> Iterator[Sitting]:
    """Open ``journal``, whose first line is ``start`` or becomes it, and the workers that do ``problem``'s jobs.

    Raises ``InputError`` if the journal cannot be written or begins otherwise.
    """
    with Journal(journal) as log:
        entries = [] if journal is None else _own_entries(read_journal(journal), start, journal)
        if not entries:
            log.write(start)
        with open_executor(workers, work, problem) as executor:
            evaluation = Evaluation(executor, log, entries, problem.settings.time_budget_s, progress)
            yield Sitting(evaluation, log, entries)


def _own_entries(entries: list[Entry], start: Entry, journal: Path) -> list[Entry]:
    """``entries`` if they are those of what begins with ``start``."""
    if entries and entries[0] != start:
        changed = [key for key in start if entries[0].get(key) != start[key]]
        raise InputError(
            f"{journal} belongs to a search with other {' and '.join(changed) or 'settings'};"
            " start a new search, or restore what it began with"
        )
    return entries
