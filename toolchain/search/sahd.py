"""Scores of an untrained network from how differently it fires for different images.

The sparsity-aware Hamming distance (SAHD) of Kim et al., "Neural Architecture Search for Spiking Neural
Networks" (ECCV 2022, arXiv 2201.10355): for a map of N neurons in one time step let HD_ij be the number of
neurons that differ between images i and j, r_i the share that fired for image i, and

    p_ij = r_i (1 - r_j) + (1 - r_i) r_j

the share that would differ if they fired independently. Two scalings of it were published, and both are
computed here, in float64 and from the formulas:

    January 2022:  d_ij = 0.5 HD_ij / p_ij             (0 where both images fire all or no neurons)
    July 2022:     d_ij = 0.5 HD_ij / (N p_ij + 1e-3)

With K the mean of N - d over the maps and time steps, the score is log |det K|: the more distinct the images,
the higher. A network that fires alike for all images has a singular K and scores -inf.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from toolchain.search.scores import Scores

JULY_EPSILON = 1e-3


def sahd(layers: Sequence[Tensor]) -> Scores:
    """Score maps of spikes, each float 0/1 [T, N, C, H, W] for the same N images; at least one map."""
    kernels = torch.stack([_kernels(layer) for layer in layers]).mean(0)
    january, july = torch.linalg.slogdet(kernels)[1].tolist()
    return Scores(january, july)


def _kernels(spikes: Tensor) -> Tensor:
    """K of both scalings, averaged over time: float64 [2, N, N] from [T, N, C, H, W]."""
    flat = spikes.flatten(2)
    neurons = flat.shape[2]
    # Counts of coinciding spikes are integers below 2^24: exact in float32.
    both = torch.matmul(flat, flat.transpose(1, 2)).double()
    fired = torch.diagonal(both, dim1=1, dim2=2)
    hamming = fired.unsqueeze(2) + fired.unsqueeze(1) - 2 * both
    rate = fired / neurons
    expected = rate.unsqueeze(2) * (1 - rate.unsqueeze(1)) + (1 - rate.unsqueeze(2)) * rate.unsqueeze(1)
    # Where images differ nothing is expected only of maps that are all on or all off, and those do not differ.
    january = torch.where(hamming > 0, 0.5 * hamming / expected, 0.0)
    july = 0.5 * hamming / (neurons * expected + JULY_EPSILON)
    return torch.stack([neurons - january, neurons - july]).mean(1)
