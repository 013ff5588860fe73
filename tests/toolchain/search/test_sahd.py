from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.search.sahd import sahd
from toolchain.search.scores import Scores


def random_layers(seed: int, images: int = 6, count: int = 2, steps: int = 3) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        shape = (steps, images, int(rng.integers(1, 4)), int(rng.integers(2, 6)), int(rng.integers(2, 6)))
        layers.append(torch.from_numpy((rng.random(shape) < rng.uniform(0.1, 0.9)).astype(np.float32)))
    return layers


def by_the_formulas(layers: list[torch.Tensor]) -> tuple[float, float]:
    """The module's docstring in plain loops over neurons."""
    images = layers[0].shape[1]
    kernels = np.zeros((2, images, images))
    maps = 0
    for layer in layers:
        for step in layer:
            maps += 1
            fired = [[int(value) for value in image.flatten()] for image in step]
            n = len(fired[0])
            for i in range(images):
                for j in range(images):
                    hamming = sum(a != b for a, b in zip(fired[i], fired[j], strict=True))
                    r_i, r_j = sum(fired[i]) / n, sum(fired[j]) / n
                    p = r_i * (1 - r_j) + (1 - r_i) * r_j
                    kernels[0, i, j] += n - (0.5 * hamming / p if hamming else 0.0)
                    kernels[1, i, j] += n - 0.5 * hamming / (n * p + 1e-3)
    january, july = (np.linalg.slogdet(kernel / maps)[1] for kernel in kernels)
    return float(january), float(july)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 7), st.integers(1, 3), st.integers(1, 4))
def test_equals_the_formulas(seed: int, images: int, count: int, steps: int) -> None:
    layers = random_layers(seed, images, count, steps)
    found, (january, july) = sahd(layers), by_the_formulas(layers)
    assert found.sahd_2022_01 == pytest.approx(january, rel=1e-9, abs=1e-6)
    assert found.sahd_2022_07 == pytest.approx(july, rel=1e-9, abs=1e-6)


def test_a_hand_computed_case() -> None:
    # Two images, four neurons, one step: 1100 and 1010. HD = 2, r = 1/2 each, p = 1/2.
    layer = torch.tensor([[1.0, 1, 0, 0], [1, 0, 1, 0]]).reshape(1, 2, 4, 1, 1)
    # January: d = 0.5 * 2 / 0.5 = 2, K = [[4, 2], [2, 4]], det 12. July: d = 1 / (2 + 1e-3).
    july = 4 - 1 / 2.001
    assert sahd([layer]).sahd_2022_01 == pytest.approx(math.log(12))
    assert sahd([layer]).sahd_2022_07 == pytest.approx(math.log(16 - july**2))


def test_a_network_that_fires_alike_for_all_images_has_no_score() -> None:
    for value in (0.0, 1.0):
        layer = torch.full((4, 5, 2, 3, 3), value)
        assert sahd([layer]) == Scores(-math.inf, -math.inf)


def test_firing_for_no_and_for_all_neurons_is_as_different_as_possible() -> None:
    layer = torch.stack([torch.zeros(1, 3, 3), torch.ones(1, 3, 3)]).unsqueeze(0)
    assert sahd([layer]).sahd_2022_01 == pytest.approx(math.log(9**2 - 4.5**2))  # p = 1, d = 9 / 2


@given(st.integers(0, 10**6))
def test_the_order_of_images_does_not_matter(seed: int) -> None:
    layers = random_layers(seed)
    turned = [layer.flip(1) for layer in layers]
    assert sahd(turned).sahd_2022_01 == pytest.approx(sahd(layers).sahd_2022_01, rel=1e-9)
