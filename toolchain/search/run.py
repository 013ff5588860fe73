"""From a run's settings to its architecture: load the data, search, and keep what the search did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolchain import runs
from toolchain.architecture.snasnet import SPACE
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.datasets import Dataset, load
from toolchain.errors import InputError
from toolchain.files import read_json, write_json
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.search.algorithms import algorithm
from toolchain.search.board import Board
from toolchain.search.documents import SCHEMA, search_document, verdict_document
from toolchain.search.dry_run import DryRun, dry_run
from toolchain.search.evaluation import Progress
from toolchain.search.executors import Workers
from toolchain.search.operation_sets import operations_for
from toolchain.search.results import SearchResult
from toolchain.search.settings import OPERATIONS, SearchSettings
from toolchain.settings import RunSettings

DEMONSTRATION = "the built-in digits are a demonstration; give --data to get a network worth deploying"


def begin_run(
    profile: Profile, settings: RunSettings, *, out: Path | None = None, progress: Progress
) -> tuple[RunFolder, Dataset]:
    """A new run folder for a search as ``settings`` say, ``out`` or one under ``runs``, and its data.

    The folder is made once it is sure that something fits, and gets the data's hash into its settings. Raises
    ``OverBudgetError`` if nothing fits and ``InputError`` if the data cannot be read or ``out`` is not empty:
    neither leaves a trace.
    """
    chosen = algorithm(settings.search.algorithm)
    data = _data(settings, progress)
    limits = budget(profile, **settings.limits.model_dump())
    chosen.check(Board.for_data(profile, limits, data, settings.search.widths))
    known: dict[str, object] = {"sha256": data.sha256}
    if data.preprocessing.events is not None:
        known["frames"] = data.preprocessing.frames
    found = settings.data.model_copy(update=known)
    return runs.create(out, profile, settings.model_copy(update={"data": found})), data


def search_run(
    run: RunFolder, data: Dataset | None = None, *, workers: Workers, progress: Progress
) -> SearchResult:
    """Search in ``run`` from where its journal ends, to the result that an uninterrupted search has.

    Writes ``search.json`` and ``architecture.json`` when it has ended; a search that has ended gives its result
    again. Raises ``InputError`` if the run's data or settings are not those that it began with.
    """
    from toolchain.search.search import search  # a dry run must not cost the import of torch

    if run.was_picked:
        raise InputError(
            f"{run.path} holds a network that was picked, and no search to go on with;"
            f" train it: spikenas-deploy train {run.path}"
        )
    asked, profile, limits = run.settings().search, run.profile(), run.search_budget()
    data = run.dataset() if data is None else data
    # What is published is drawn from all operations.
    operations = OPERATIONS
    if asked.algorithm != "snasnet":
        operations = operations_for(Board.for_data(profile, limits, data, asked.widths))
    result = search(
        data,
        profile,
        limits,
        SearchSettings(asked.seed, asked.time_budget_s, operations, bits=asked.widths),
        name=asked.algorithm,
        workers=workers,
        journal=run.journal,
        progress=progress,
    )
    write_json(run.search, search_document(result))
    # Last, because a run with an architecture counts as searched.
    save_architecture(result.architecture, run.architecture)
    return result


def pick_run(run: RunFolder, wanted: str, *, out: Path | None = None) -> tuple[RunFolder, dict[str, Any]]:
    """A new run, to be trained, with the candidate of ``run`` whose id begins with ``wanted``; and ``search_found``.

    Raises ``InputError`` if there is no such candidate, or more than one.
    """
    found = search_found(run)
    matching = [each for each in found["trained"] if wanted and each["id"].startswith(wanted)]
    if len(matching) != 1:
        every = ", ".join(each["id"] for each in found["trained"]) or "none, it trained no candidate"
        problem = "no candidate" if not matching else "more than one candidate"
        raise InputError(f"{run.path} has {problem} {wanted[:40]!r}; `search --front` lists them: {every}")
    architecture = parse(matching[0]["architecture"])
    board = Board.for_data(run.profile(), run.search_budget(), run.dataset())
    found |= verdict_document(board.judge(architecture), board) | {"id": matching[0]["id"]}
    found["trained"] = [each | {"chosen": each is matching[0]} for each in found["trained"]]
    picked = runs.create(out, run.profile(), run.settings())
    write_json(picked.search, found)
    save_architecture(architecture, picked.architecture)
    return picked, found


def search_found(run: RunFolder) -> dict[str, Any]:
    """What the search of ``run`` found (``documents.search_document``); raises ``InputError`` if it did not end."""
    if not run.search.is_file():
        raise runs.search_did_not_end(run, run.search)
    found = read_json(run.search)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise InputError(f"{run.search} is not a search of this version ({SCHEMA}); start a new search")
    return found


def plan_run(profile: Profile, settings: RunSettings, *, progress: Progress) -> DryRun:
    """What ``search_run`` would find room for, without a forward pass and without writing anything."""
    if settings.search.algorithm == SPACE:
        raise InputError(
            "--dry-run speaks of the sizes of the spikenas space; leave it or --algorithm snasnet away"
        )
    data = _data(settings, progress)
    limits = budget(profile, **settings.limits.model_dump())
    return dry_run(Board.for_data(profile, limits, data, settings.search.widths))


def _data(settings: RunSettings, progress: Progress) -> Dataset:
    chosen = settings.data.model_dump(exclude={"source", "sha256"})
    data = load(settings.data.source, **chosen)
    if data.is_demonstration:
        progress(DEMONSTRATION)
    return data
