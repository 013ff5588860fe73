"""A search from its first line in the journal to its last, begun or gone on with."""

from __future__ import annotations

from pathlib import Path

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.text import AnyArchitecture
from toolchain.datasets import Dataset
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.search.algorithms import algorithm
from toolchain.search.board import Board
from toolchain.search.entries import result_entry, start_entry
from toolchain.search.evaluation import Progress
from toolchain.search.executors import Workers
from toolchain.search.problem import Problem
from toolchain.search.results import SearchResult
from toolchain.search.settings import SearchSettings
from toolchain.search.sitting import sitting


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
    problem = Problem(Board.for_data(profile, limits, data, settings.bits), data, settings)
    start = start_entry(name, problem)
    with sitting(start, problem, workers=workers, journal=journal, progress=progress) as begun:
        found = chosen.run(problem, begun.evaluation)
        result = SearchResult(
            name,
            found.chosen.architecture,
            _graph(problem.board, found.chosen.architecture),
            found,
            begun.evaluation.elapsed_s,
        )
        begun.conclude(result_entry(result))
    if (told := overrun(result.seconds, settings.time_budget_s)) is not None:
        progress(told)
    return result


def overrun(elapsed_s: float, budget_s: float | None) -> str | None:
    """What to say of a search that took clearly longer than its time budget; None if it did not."""
    if budget_s is None or elapsed_s <= 1.1 * budget_s + 1:
        return None
    return (
        f"the search took {elapsed_s:.0f} s, and {budget_s:.0f} s were its part of the time budget: what is being "
        "computed when they are over is finished, and a machine's first search also compiles what later ones find done"
    )


def _graph(board: Board, architecture: AnyArchitecture) -> Graph | None:
    return board.graph(architecture) if isinstance(architecture, Architecture) else None
