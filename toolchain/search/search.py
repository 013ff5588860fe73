"""A search from its first line in the journal to its last, begun or gone on with."""

from __future__ import annotations

from pathlib import Path

from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.search.algorithms import algorithm
from toolchain.search.board import Board
from toolchain.search.entries import result_entry, start_entry
from toolchain.search.evaluation import Evaluation, Progress
from toolchain.search.executors import Workers, open_executor
from toolchain.search.jobs import work
from toolchain.search.journal import Entry, Journal, read_journal
from toolchain.search.problem import Problem
from toolchain.search.results import SearchResult
from toolchain.search.settings import SearchSettings


def search(
    data: Dataset,
    profile: Profile,
    limits: Budget,
    settings: SearchSettings,
    *,
    name: str = "spikenas",
    workers: Workers = Workers(),  # noqa: B008 (frozen)
    journal: Path | None = None,
    progress: Progress,
) -> SearchResult:
    """Find a network for ``profile`` within ``limits`` by the algorithm called ``name``.

    The same settings and data give the same network, whatever the workers. Every result is on disk in ``journal``
    before anything is built on it; if the journal has entries already, the search goes on where they end, and
    gives what it would have given uninterrupted. Raises ``OverBudgetError`` if not even the smallest network
    fits, saying by how much, and ``InputError`` if the data's images do not suit any network, the journal cannot
    be written, or belongs to another search.
    """
    chosen = algorithm(name)
    problem = Problem(Board.for_data(profile, limits, data), data, settings)
    start = start_entry(name, problem)
    with Journal(journal) as log:
        entries = [] if journal is None else _own_entries(read_journal(journal), start, journal)
        if not entries:
            log.write(start)
        with open_executor(workers, work, problem) as executor:
            evaluation = Evaluation(executor, log, entries, settings.time_budget_s, progress)
            found = chosen.run(problem, evaluation)
            result = SearchResult(
                name,
                found.chosen.architecture,
                problem.board.graph(found.chosen.architecture),
                found,
                evaluation.elapsed_s,
            )
        if not any(entry["kind"] == "result" for entry in entries):
            log.write(result_entry(result))
    return result


def _own_entries(entries: list[Entry], start: Entry, journal: Path) -> list[Entry]:
    """``entries`` if they are those of the search that begins with ``start``."""
    if entries and entries[0] != start:
        changed = [key for key in start if entries[0].get(key) != start[key]]
        raise InputError(
            f"{journal} belongs to a search with other {' and '.join(changed) or 'settings'};"
            " start a new search, or restore what it began with"
        )
    return entries
