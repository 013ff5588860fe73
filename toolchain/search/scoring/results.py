"""What scoring a position gives, and the average of that over weight seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.architecture.cells import Cell

Floats = NDArray[np.float64]

SCORES = ("hamming", "sahd_2022_01", "sahd_2022_07")
"""Names of the scores, of which higher is better; ``toolchain.search.scoring.sahd`` defines them."""


@dataclass(frozen=True, eq=False)
class CellScores:
    """Scores of ``cells`` at one position with the weights of one seed: float64, one element a cell.

    -inf: two images fire alike in every map of the cell. ``neurons``: how many of each map were compared;
    ``convolutions``: how many were computed for all cells together.
    """

    cells: tuple[Cell, ...]
    hamming: Floats
    sahd_2022_01: Floats
    sahd_2022_07: Floats
    neurons: int
    convolutions: int


@dataclass(frozen=True, eq=False)
class Averages:
    """Mean and sample standard deviation of each score over ``seeds`` draws, by the names in ``SCORES``.

    A score that is -inf with one seed has the mean -inf and the deviation 0; so has every deviation of one seed.
    """

    cells: tuple[Cell, ...]
    mean: dict[str, Floats]
    deviation: dict[str, Floats]
    seeds: int


def average(scored: Sequence[CellScores]) -> Averages:
    """Average scores of the same cells; raises ``ValueError`` if they are not the same or there are none."""
    if not scored or any(scores.cells != scored[0].cells for scores in scored):
        raise ValueError("an average needs scores of the same cells, from at least one seed")
    mean, deviation = {}, {}
    for name in SCORES:
        values = np.stack([getattr(scores, name) for scores in scored])
        finite = np.isfinite(values).all(0)
        known = np.where(finite, values, 0.0)
        mean[name] = np.where(finite, known.mean(0), -np.inf)
        deviation[name] = known.std(0, ddof=1) if len(scored) > 1 else np.zeros(values.shape[1])
    return Averages(scored[0].cells, mean, deviation, len(scored))
