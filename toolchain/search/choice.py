"""Which of the trained finalists is taken: the smallest that is as accurate as the best, within the noise.

The one-standard-error rule (Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984):
of all whose quality, accuracy or R2, lies within one standard error of the best one's, the simplest is taken. The
error has two parts, that the images it was measured on are a sample, and that a training started from other weights
ends elsewhere:

    se^2 = e^2 + s^2 / k

with the standard error e that a training's quality has from its images (``toolchain.training.objective``; that of an
accuracy a on n images is sqrt(a (1 - a) / n)), and the standard deviation s of single trainings, pooled over the
finalists, each trained from k seeds. Where every finalist was trained once, s is that of earlier measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, variance

from toolchain.search.candidates import Trained

RUN_DEVIATION = 0.0045
"""Standard deviation of a training's quality over seeds: 0.45 points of accuracy (CIFAR-10, 240 steps, 8 networks).

The R2 of a synthetic steering task had 0.001 to 0.012, 0.004 in the median (240 steps, 4 networks, 5 seeds).
"""


def most_accurate(trained: Sequence[Trained]) -> Trained:
    """The highest mean quality of the highest rung; of equal ones the smaller."""
    last = max(each.rung for each in trained)
    finalists = [each for each in trained if each.rung == last]
    return min(finalists, key=lambda each: (-each.quality, each.size_bytes, each.candidate.id))


def choose(trained: Sequence[Trained]) -> Trained:
    """The smallest candidate of the highest rung within one standard error of the most accurate."""
    best = most_accurate(trained)
    enough = best.quality - standard_error(best, trained)
    level = [each for each in trained if each.rung == best.rung and each.quality >= enough]
    return min(level, key=lambda each: (each.size_bytes, -each.quality, each.candidate.id))


def standard_error(best: Trained, trained: Sequence[Trained]) -> float:
    """Standard error of ``best``'s mean quality, of which 1 is best; ``trained`` give the noise of trainings."""
    # All trainings are measured on the same images: what these add does not get smaller with their number.
    sampling = fmean(outcome.standard_error**2 for outcome in best.outcomes)
    return math.sqrt(sampling + run_deviation(trained, best.rung) ** 2 / len(best.outcomes))


def run_deviation(trained: Sequence[Trained], rung: int) -> float:
    """Standard deviation of single trainings, pooled over the candidates of ``rung`` that have several.

    The median of their variances: one training that diverged or fell to chance must not hide all differences.
    """
    variances = [
        variance([outcome.quality for outcome in each.outcomes])
        for each in trained
        if each.rung == rung and len(each.outcomes) > 1
    ]
    return math.sqrt(median(variances)) if variances else RUN_DEVIATION
