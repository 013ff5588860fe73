"""Scores of an untrained cell from how differently it fires for different images.

The Hamming distance kernel of NASWOT (Mellor et al., "Neural Architecture Search without Training", ICML 2021)
and the sparsity-aware Hamming distance (SAHD) of Kim et al., "Neural Architecture Search for Spiking Neural
Networks" (ECCV 2022, arXiv 2201.10355). For a map of N neurons in one time step let HD_ij be the number of
neurons that differ between images i and j, r_i the share that fired for image i, and

    p_ij = r_i (1 - r_j) + (1 - r_i) r_j

the share that would differ if they fired independently. Two scalings of SAHD were published:

    Hamming:       d_ij = HD_ij
    January 2022:  d_ij = 0.5 HD_ij / p_ij             (0 where both images fire all or no neurons)
    July 2022:     d_ij = 0.5 HD_ij / (N p_ij + 1e-3)

With K the mean of N - d over the maps and time steps, a score is log |det K|: the more distinct the images,
the higher. A cell that fires alike for two of the images has a singular K and scores -inf.
"""

from __future__ import annotations

import torch
from torch import Tensor

JULY_EPSILON = 1e-3


def kernels(distances: Tensor, neurons: int) -> Tensor:
    """N - d in the three forms, summed over time: float64 [..., 3, B (B - 1) / 2] of the pairs i < j, by rows.

    ``distances`` int32 [..., T, B, B]: HD_ij off the diagonal, on it the number of neurons that fired.
    """
    first, second = torch.triu_indices(distances.shape[-1], distances.shape[-1], 1, device=distances.device)
    fired = torch.diagonal(distances, dim1=-2, dim2=-1).double()
    one, other = fired[..., first], fired[..., second]
    # N^2 p; every term is a whole number below 2^53.
    expected = one * (neurons - other) + other * (neurons - one)
    hamming = distances[..., first, second].double()
    # Where images differ nothing is expected only of maps that are all on or all off, and those do not differ.
    january = (0.5 * neurons * neurons) * hamming / expected.clamp(min=1.0)
    july = 0.5 * hamming / (expected / neurons + JULY_EPSILON)
    forms = torch.stack([hamming, january, july], -2)
    total = torch.zeros_like(forms.select(-3, 0))
    for step in forms.unbind(-3):  # in the order of time: the compiled kernel rounds its sums the same way
        total += step
    return forms.shape[-3] * neurons - total


def log_determinants(total: Tensor, layers: Tensor, neurons: int, images: int) -> Tensor:
    """The three scores, float64 [G, 3], from ``kernels`` summed over a cell's maps, [G, 3, B (B - 1) / 2].

    ``layers`` float64 [G]: how many (map, time step) pairs each sum has; the diagonal of their mean is N.
    """
    pairs = total.shape[-1]
    mean = total / layers.reshape(-1, 1, 1)
    diagonal = torch.full((*total.shape[:2], 1), float(neurons), dtype=torch.float64)
    # Where each element of the matrix is found: a pair in either order, or the diagonal behind all pairs.
    places = torch.full((images, images), pairs)
    first, second = torch.triu_indices(images, images, 1)
    places[first, second] = places[second, first] = torch.arange(pairs)
    found = torch.cat([mean, diagonal], -1)
    matrix = found.gather(-1, places.flatten().expand(*found.shape[:2], -1))
    scores: Tensor = torch.linalg.slogdet(matrix.unflatten(-1, (images, images)))[1]
    # Two equal rows make K singular; elimination may leave a rounding error where the zero should be.
    alike = (total[:, 0] == layers.reshape(-1, 1) * neurons).any(1)
    return torch.where(alike.unsqueeze(1), -torch.inf, scores)
