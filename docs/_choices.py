"""Ways to choose a network within a budget that ``docs/quality.py`` compares: ours, and what others would take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import distinct_cells
from toolchain.network.spiking import SpikingNetwork
from toolchain.search.algorithms.random_draws import draws
from toolchain.search.algorithms.spikenas import SpikeNas
from toolchain.search.cell_choice import RANKED_BY
from toolchain.search.evaluation import Evaluation
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.position_scores import averaged, scores_job
from toolchain.search.problem import Problem
from toolchain.search.scoring.structural import all_structures
from toolchain.search.seeds import weight_seeds
from toolchain.search.snasnet.draw import draw
from toolchain.search.snasnet.kernels import Kernels
from toolchain.search.space import CHANNELS, Sizes
from toolchain.search.trainings import drawn

FRESH = 100
"""Candidates of SNASNet's procedure; as published there are 5,000."""

FRESH_BATCH = 128
ROOM = 0.5
"""Share of all shared cells that must fit a size for a choice among its cells to mean anything."""

CELLS = distinct_cells()


@dataclass(frozen=True)
class Choice:
    """The network that a way chose, what it took, and what it looked at; one for each seed where it draws."""

    way: str
    architecture: Architecture
    seconds: float
    note: str


def ours(problem: Problem, evaluation: Evaluation) -> Choice:
    """What a search with its defaults returns."""
    found = SpikeNas().run(problem, evaluation)
    note = f"{found.counts.scored:,} cells scored, {len(found.trained)} networks trained"
    return Choice("spikenas", found.chosen.architecture, evaluation.elapsed_s, note)


def others(problem: Problem, evaluation: Evaluation, seeds: int) -> Iterator[Choice]:
    """What every other way takes; random picks once for each of ``seeds``."""
    feasible = feasible_sizes(problem.board)
    for name, way in WAYS.items():
        started = time.monotonic()
        architecture, note = way(problem, evaluation, feasible)
        yield Choice(name, architecture, _since(started), note)
    pool = draws(feasible, np.random.default_rng([problem.settings.seed, 5]))
    for _ in range(seeds):
        yield Choice("random feasible picks", next(pool).architecture, 0.0, "drawn evenly from all that fits")


def _since(started: float) -> float:
    return time.monotonic() - started


Chosen = tuple[Architecture, str]
Way = Callable[[Problem, Evaluation, Feasible], Chosen]


def _snasnet(problem: Problem, evaluation: Evaluation, feasible: Feasible) -> Chosen:
    """SNASNet's procedure within the budget: one drawn cell for both positions, a fresh network, SAHD's highest."""
    size = _published_form(feasible)
    rng, best = np.random.default_rng(problem.settings.seed), (-np.inf, size.architecture(feasible.reserve))
    dropped = scored = 0
    while scored < FRESH:
        architecture = size.architecture(draw(rng))
        if not feasible.board.judge(architecture).fits:
            dropped += 1
            continue
        network = SpikingNetwork(problem.board.graph(architecture), seed=scored).train()
        images = drawn(problem.data.train, FRESH_BATCH, scored).images
        kernels = Kernels(len(images))
        with torch.no_grad():
            for spikes in network.spikes(torch.from_numpy(images)).values():
                kernels.add(list(spikes))
        score = kernels.scores().sahd_2022_01
        best = max(best, (score, architecture), key=lambda pair: pair[0])
        scored += 1
    return best[1], f"{scored} scored of 5,000 published, {dropped} over budget"


def _published_form(feasible: Feasible) -> Sizes:
    """Two cells with a reduction between them at the full resolution that fits, as wide as leaves room for cells."""
    for stride in (1, 2):
        for channels in reversed(CHANNELS):
            size = Sizes(4, channels, stride, 0, 2, 2, "stride", "flatten")
            if feasible.screen.shared_cells(size.architecture(feasible.reserve)).fits.mean() >= ROOM:
                return size
    return feasible.sizes[-1]


def _roomy(feasible: Feasible) -> Sizes:
    """The most promising sizes at which half of the cells fit at every position."""
    for size in feasible.sizes:
        if feasible.screen.shared_cells(size.architecture(feasible.reserve)).fits.mean() >= ROOM:
            return size
    return feasible.sizes[-1]


def _sahd(problem: Problem, evaluation: Evaluation, feasible: Feasible) -> Chosen:
    """SAHD's highest of all cells that fit, position by position."""
    architecture = _roomy(feasible).architecture(feasible.reserve)
    for position in range(len(architecture.cells)):
        jobs = [scores_job(architecture, position, seed, 32) for seed in weight_seeds(problem.settings)]
        results = [result for result in evaluation.results(jobs) if result is not None]
        scores = averaged(results).mean[RANKED_BY]
        fits = feasible.screen.cells(architecture, position).fits
        cells = list(architecture.cells)
        cells[position] = CELLS[int(np.argmax(np.where(fits, scores, -np.inf)))]
        architecture = architecture.with_cells(tuple(cells))
    return architecture, "all cells scored"


def _longest_path(problem: Problem, evaluation: Evaluation, feasible: Feasible) -> Chosen:
    """The longest path of convolutions, then the fewest weights; one cell for all positions."""
    architecture = _roomy(feasible).architecture(feasible.reserve)
    fits, structure = feasible.screen.shared_cells(architecture).fits, all_structures()
    index = min(np.flatnonzero(fits), key=lambda i: (-structure.path[i], structure.taps[i], i))
    return architecture.with_cells((CELLS[index],) * len(architecture.cells)), "no network computed"


WAYS: dict[str, Way] = {
    "SNASNet's procedure, in the budget": _snasnet,
    "highest SAHD of all that fit": _sahd,
    "longest path of convolutions": _longest_path,
}
