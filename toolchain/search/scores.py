"""What a candidate is compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev


@dataclass(frozen=True)
class Scores:
    """Scores of an untrained network, of which higher is better; ``toolchain.search.sahd`` defines them.

    -inf: it fires alike for all images. ``spread``: standard deviation of the first over weight seeds.
    """

    sahd_2022_01: float
    sahd_2022_07: float
    spread: float = 0.0


def mean(scores: Sequence[Scores]) -> Scores:
    """Average over weight seeds; -inf in one of them is -inf in the mean."""
    january = [score.sahd_2022_01 for score in scores]
    finite = all(value > float("-inf") for value in january)
    return Scores(
        fmean(january), fmean(score.sahd_2022_07 for score in scores), pstdev(january) if finite else 0.0
    )
