"""How far apart two mean accuracies may lie by chance, when every network is trained from the same seeds.

A seed draws the images and their order for all networks alike, so what it adds to all of them is taken out
first: with accuracy a_ij of network i from seed j, of m networks and k seeds (a randomized complete block design;
Montgomery, "Design and Analysis of Experiments", chapter 4),

    r_ij = a_ij - mean_j(a_i) - mean_i(a_j) + mean(a)        s^2 = sum r_ij^2 / ((m - 1) (k - 1))

and the difference of two networks' means has the standard error s sqrt(2 / k). All networks are measured on the
same held-out images; the error speaks of these images and of other seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from toolchain.search.candidates import Trained
from toolchain.search.choice import RUN_DEVIATION

BEYOND = 2.0
"""Standard errors from which a difference is beyond noise."""

WITHIN = 1.0
"""Standard errors up to which two accuracies count as equal: the rule by which a search chooses its network."""


def residual_deviation(trained: Sequence[Trained]) -> float:
    """Standard deviation s of one training, the seeds' common part taken out; every one has the same k seeds.

    That of earlier measurements (``RUN_DEVIATION``) if there are fewer than two networks or two seeds.
    """
    table = np.array([[outcome.quality for outcome in each.outcomes] for each in trained])
    if table.ndim != 2 or min(table.shape) < 2:
        return RUN_DEVIATION
    residuals = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + table.mean()
    networks, seeds = table.shape
    return math.sqrt(float(np.sum(residuals**2)) / ((networks - 1) * (seeds - 1)))


def difference_error(deviation: float, seeds: int) -> float:
    """Standard error of the difference of two networks' mean accuracies over the same ``seeds``."""
    return deviation * math.sqrt(2 / seeds)
