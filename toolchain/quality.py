"""What a network's outputs are judged by: the share of images that are right, or the variance explained.

Every figure here is higher for a better network, except the errors. Classes are told by the highest output, the
first of equal ones. R2, the coefficient of determination, is 1 - sum((t - y)^2) / sum((t - mean(t))^2) of each
output, and the mean of the outputs' where there are several.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def share_correct(scores: NDArray[Any], targets: NDArray[np.int64]) -> float:
    """Share of images whose highest score [n, classes] is the one of their class [n]; 0 without images."""
    return float((scores.argmax(axis=1) == targets).mean()) if len(targets) else 0.0


def r2(values: NDArray[Any], targets: NDArray[Any]) -> Floats:
    """R2 of every output, float64 [k], of ``values`` [n, k] for ``targets`` [n, k].

    An output whose targets are all equal has nothing to explain: 1 if it is met exactly, else 0.
    """
    wanted = targets.astype(np.float64)
    residual = np.square(values - wanted).sum(axis=0)
    total = np.square(wanted - wanted.mean(axis=0)).sum(axis=0)
    result: Floats = np.where(total > 0, 1 - residual / np.where(total > 0, total, 1), residual == 0)
    return result


def mean_absolute_errors(values: NDArray[Any], targets: NDArray[Any]) -> Floats:
    """Mean |error| of every output, float64 [k], in the targets' own unit."""
    result: Floats = np.abs(values - targets.astype(np.float64)).mean(axis=0)
    return result
