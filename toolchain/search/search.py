"""The memory-aware search: sizes first, then cell by cell, each decision within the budget.

The steps follow what the SpikeNAS paper (Putra and Shafique, arXiv 2402.11322) says in its abstract, in our own
form: candidates over budget are dropped by the cost model before any forward pass, the rest are scored in
untrained networks by SAHD, and the highest is taken unless a smaller cell is as good within the noise. The
budget is checked on the whole network; positions that are not decided yet hold their reserve, so that no early
cell takes what a later one needs.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from toolchain.architecture.text import to_text
from toolchain.datasets import Dataset
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.search.board import Board
from toolchain.search.cell_space import searched_cells
from toolchain.search.entries import choice_entry, result_entry, size_entry, start_entry
from toolchain.search.journal import Journal
from toolchain.search.positions import PositionSearch, Progress
from toolchain.search.results import SearchResult
from toolchain.search.settings import SearchSettings
from toolchain.search.sizing import choose_sizes
from toolchain.search.untrained import CellScorer, one_thread


def search(
    data: Dataset,
    profile: Profile,
    limits: Budget,
    settings: SearchSettings,
    *,
    journal: Path | None = None,
    progress: Progress,
) -> SearchResult:
    """Find a network for ``profile`` within ``limits``; the same settings and data give the same one.

    Every candidate is on disk in ``journal`` before the next is scored, so an interrupted search loses nothing.
    Raises ``OverBudgetError`` if not even the smallest network fits, saying by how much, and ``InputError`` if
    the data's images do not suit any network or the journal cannot be written.
    """
    started = time.monotonic()
    board = Board.for_data(profile, limits, data)
    seeds = weight_seeds(settings)
    with Journal(journal) as log, one_thread():
        log.write(start_entry(profile, limits, data, settings, seeds))
        sizing = choose_sizes(board, lambda verdict: log.write(size_entry(verdict), sync=False))
        architecture = sizing.verdict.architecture
        progress(f"sizes: {to_text(architecture)}")
        candidates = settings.candidates_for(sizing.verdict.operations)
        positions = []
        count = len(architecture.cells)
        for position in range(count):
            scorer = CellScorer(
                sizing.board, architecture, position, data.train.images, settings.batch, seeds
            )
            work = PositionSearch(
                sizing.board,
                architecture,
                position,
                searched_cells(sizing.reserve),
                candidates,
                settings.seed,
                scorer.score,
                log,
                progress,
            )
            found = work.run(_deadline(settings, started, count - position))
            positions.append(found)
            architecture = found.chosen.verdict.architecture
            log.write(choice_entry(position, found))
            progress(
                f"cell {position + 1} of {count}: {found.chosen.cell}, best of {len(found.scored)} scored"
            )
        verdict = sizing.board.judge(architecture)
        result = SearchResult(
            architecture,
            board.graph(architecture),
            verdict.footprint,
            sizing,
            tuple(positions),
            time.monotonic() - started,
        )
        log.write(result_entry(result))
    return result


def weight_seeds(settings: SearchSettings) -> list[int]:
    """Seeds of the untrained networks and their batches, drawn from the search's seed."""
    rng = np.random.default_rng(settings.seed)
    return [int(seed) for seed in rng.integers(2**31, size=settings.weight_seeds)]


def _deadline(settings: SearchSettings, started: float, positions_left: int) -> float | None:
    if settings.time_budget_s is None:
        return None
    now = time.monotonic()
    return now + max(0.0, started + settings.time_budget_s - now) / positions_left
