"""Seeds of untrained networks and of trainings, all drawn from the one that the user gives."""

from __future__ import annotations

import numpy as np

from toolchain.search.rungs import SEEDS
from toolchain.search.settings import SearchSettings


def weight_seeds(settings: SearchSettings) -> list[int]:
    """Seeds of the untrained networks that scores are averaged over; each draws weights and a batch."""
    rng = np.random.default_rng([settings.seed, 0])
    return [int(seed) for seed in rng.integers(2**31, size=settings.weight_seeds)]


def training_seeds(settings: SearchSettings) -> list[int]:
    """Consecutive seeds: one for the first rung, then those of the last."""
    first = int(np.random.default_rng([settings.seed, 1]).integers(2**30))
    return [first + index for index in range(1 + SEEDS)]
