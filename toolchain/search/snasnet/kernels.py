"""Kernels of spikes, summed layer by layer while a network runs, and their scores.

For N neurons of one layer in one time step let HD_ij be the number of those that differ between images i and j,
r_i the share that fired for image i, and p_ij = r_i (1 - r_j) + (1 - r_i) r_j. Kim et al. (ECCV 2022) published
two scalings of the sparsity-aware Hamming distance; the plain one is that of Mellor et al. (ICML 2021):

    January 2022:  d_ij = 0.5 HD_ij / p_ij             (0 where both images fire all or no neurons)
    July 2022:     d_ij = 0.5 HD_ij / (N p_ij + 1e-3)
    Hamming:       d_ij = HD_ij

With K the mean of N - d over layers and time steps, the score is log |det K|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

JULY_EPSILON = 1e-3


@dataclass(frozen=True)
class Scores:
    """Scores of one untrained network; -inf: it fires alike for two images, or for all."""

    sahd_2022_01: float
    sahd_2022_07: float
    hamming: float


class Kernels:
    """The three sums of N - d, float64 [3, images, images]."""

    def __init__(self, images: int) -> None:
        self._sum = torch.zeros(3, images, images, dtype=torch.float64)
        self._maps = 0

    def add(self, spikes: Sequence[Tensor], layers: int = 1) -> None:
        """Add a layer's spikes, float 0/1 [images, ...] a time step, as if ``layers`` layers had fired so."""
        for step in spikes:
            # The order of neurons does not matter; this one flattens maps of channels without copying them.
            flat = step.movedim(1, -1).flatten(1)
            neurons = flat.shape[1]
            # Counts of coinciding spikes are integers below 2^24: exact in float32.
            both = torch.matmul(flat, flat.T).double()
            fired = torch.diagonal(both)
            hamming = fired.unsqueeze(1) + fired - 2 * both
            rate = fired / neurons
            expected = rate.unsqueeze(1) * (1 - rate) + (1 - rate).unsqueeze(1) * rate
            # Where images differ nothing is expected only of maps that are all on or all off: those do not differ.
            january = torch.where(hamming > 0, 0.5 * hamming / expected, 0.0)
            july = 0.5 * hamming / (neurons * expected + JULY_EPSILON)
            self._sum.add_(neurons - torch.stack([january, july, hamming]), alpha=layers)
            self._maps += layers

    def scores(self) -> Scores:
        """log |det| of the mean of what was added."""
        # numpy's, because some builds of torch call an MKL that on several threads errs from 256 images.
        return Scores(*np.linalg.slogdet((self._sum / self._maps).numpy())[1].tolist())


def mean(scores: Sequence[Scores]) -> Scores:
    """Average over batches; -inf in one of them is -inf in the mean."""
    return Scores(
        fmean(score.sahd_2022_01 for score in scores),
        fmean(score.sahd_2022_07 for score in scores),
        fmean(score.hamming for score in scores),
    )
