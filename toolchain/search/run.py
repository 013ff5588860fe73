"""From a run's settings to its architecture: load the data, search, and keep what the search did."""

from __future__ import annotations

from pathlib import Path

from toolchain import runs
from toolchain.architecture.storage import save_architecture
from toolchain.datasets import Dataset, load
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder, RunSettings
from toolchain.search.board import Board
from toolchain.search.dry_run import DryRun, dry_run
from toolchain.search.positions import Progress
from toolchain.search.results import SearchResult
from toolchain.search.settings import SearchSettings
from toolchain.search.sizing import choose_sizes

DEMONSTRATION = "the built-in digits are a demonstration; give --data to get a network worth deploying"


def search_run(
    profile: Profile, settings: RunSettings, *, out: Path | None = None, progress: Progress
) -> tuple[RunFolder, SearchResult]:
    """Search as ``settings`` say, in a new run folder: ``out``, or one under ``runs``.

    The folder is made once it is sure that something fits, gets the data's hash into its settings and the
    journal while the search goes on, and ``architecture.json`` when it has ended. Raises ``OverBudgetError`` if
    nothing fits and ``InputError`` if the data cannot be read or ``out`` is not empty: neither leaves a trace.
    """
    from toolchain.search.search import search  # a dry run must not cost the import of torch

    data = _data(settings, progress)
    limits = budget(profile, **settings.limits.model_dump())
    choose_sizes(Board.for_data(profile, limits, data), lambda verdict: None)
    hashed = settings.data.model_copy(update={"sha256": data.sha256})
    run = runs.create(out, profile, settings.model_copy(update={"data": hashed}))
    extent = SearchSettings(settings.search.seed, settings.search.time_budget_s)
    try:
        result = search(data, profile, limits, extent, journal=run.journal, progress=progress)
    except KeyboardInterrupt:
        progress(f"interrupted; the candidates scored so far are in {run.journal}")
        raise
    save_architecture(result.architecture, run.architecture)
    return run, result


def plan_run(profile: Profile, settings: RunSettings, *, progress: Progress) -> DryRun:
    """What ``search_run`` would find room for, without a forward pass and without writing anything."""
    return dry_run(_data(settings, progress), profile, budget(profile, **settings.limits.model_dump()))


def _data(settings: RunSettings, progress: Progress) -> Dataset:
    chosen = settings.data.model_dump(exclude={"source", "sha256"})
    data = load(settings.data.source, **chosen)
    if data.is_demonstration:
        progress(DEMONSTRATION)
    return data
