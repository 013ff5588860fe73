from __future__ import annotations

import math

import pytest
import torch

from toolchain.search.scoring.compiled import Compiled
from toolchain.search.scoring.sahd import log_determinants


def score(layer: torch.Tensor) -> list[float]:
    """Scores of one map, 0/1 [T, N, neurons]."""
    neurons = layer.shape[2]
    summed = Compiled().kernels(layer.to(torch.uint8)).unsqueeze(0)
    layers = torch.tensor([float(len(layer))], dtype=torch.float64)
    scores: list[float] = log_determinants(summed, layers, neurons, layer.shape[1])[0].tolist()
    return scores


def test_a_hand_computed_case() -> None:
    # Two images, four neurons, one step: 1100 and 1010. HD = 2, r = 1/2 each, p = 1/2.
    layer = torch.tensor([[[1, 1, 0, 0], [1, 0, 1, 0]]])
    # Hamming: K = [[4, 2], [2, 4]], det 12. January: d = 0.5 * 2 / 0.5 = 2, the same. July: d = 1 / (2 + 1e-3).
    july = 4 - 1 / 2.001
    assert score(layer) == pytest.approx([math.log(12), math.log(12), math.log(16 - july**2)])


@pytest.mark.parametrize("value", [0, 1])
def test_a_map_that_is_always_the_same_has_no_score(value: int) -> None:
    assert score(torch.full((4, 5, 18), value)) == [-math.inf] * 3


def test_firing_for_no_and_for_all_neurons_is_as_different_as_possible() -> None:
    layer = torch.stack([torch.zeros(1, 9), torch.ones(1, 9)], 1)
    assert score(layer)[1] == pytest.approx(math.log(9**2 - 4.5**2))  # p = 1, d = 9 / 2
    assert score(layer)[0] == pytest.approx(math.log(9**2))


def test_one_image_is_as_distinct_as_it_has_neurons() -> None:
    assert score(torch.ones(3, 1, 12)) == pytest.approx([math.log(12)] * 3)


def test_the_order_of_images_does_not_matter() -> None:
    layer = (torch.rand(3, 7, 100, generator=torch.Generator().manual_seed(0)) < 0.4).int()
    assert score(layer.flip(1)) == pytest.approx(score(layer), rel=1e-9)
