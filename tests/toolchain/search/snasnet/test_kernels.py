from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.search.snasnet.kernels import Kernels, Scores, mean


def random_layer(rng: np.random.Generator, images: int, steps: int) -> list[torch.Tensor]:
    shape = (images, *map(int, rng.integers(1, 5, rng.choice([1, 3]))))
    rate = rng.uniform(0.1, 0.9)
    return [torch.from_numpy((rng.random(shape) < rate).astype(np.float32)) for _ in range(steps)]


def by_the_formulas(layers: list[tuple[list[torch.Tensor], int]], images: int) -> list[float]:
    """The module's docstring in plain loops."""
    kernels, maps = np.zeros((3, images, images)), 0
    for layer, times in layers:
        for step in layer:
            maps += times
            fired = step.flatten(1).numpy()
            n = fired.shape[1]
            for i in range(images):
                for j in range(images):
                    hamming = float(np.count_nonzero(fired[i] != fired[j]))
                    r_i, r_j = fired[i].sum() / n, fired[j].sum() / n
                    p = float(r_i * (1 - r_j) + (1 - r_i) * r_j)
                    kernels[0, i, j] += times * (n - (0.5 * hamming / p if hamming else 0.0))
                    kernels[1, i, j] += times * (n - 0.5 * hamming / (n * p + 1e-3))
                    kernels[2, i, j] += times * (n - hamming)
    return [float(np.linalg.det(kernel / maps)) for kernel in kernels]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 3))
def test_equals_the_formulas(seed: int, images: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    layers = [(random_layer(rng, images, steps), int(rng.integers(1, 4))) for _ in range(3)]
    kernels = Kernels(images)
    for layer, times in layers:
        kernels.add(layer, times)
    found = kernels.scores()
    determinants = by_the_formulas(layers, images)
    for score, determinant in zip(
        (found.sahd_2022_01, found.sahd_2022_07, found.hamming), determinants, strict=True
    ):
        assert math.exp(score) == pytest.approx(abs(determinant), rel=1e-6, abs=1e-6)


def test_a_hand_computed_case() -> None:
    # Two images, four neurons: 1100 and 1010. HD = 2, r = 1/2 each, p = 1/2.
    kernels = Kernels(2)
    kernels.add([torch.tensor([[1.0, 1, 0, 0], [1, 0, 1, 0]])])
    found = kernels.scores()
    assert found.sahd_2022_01 == pytest.approx(math.log(16 - 2**2))
    assert found.sahd_2022_07 == pytest.approx(math.log(16 - (4 - 1 / 2.001) ** 2))
    assert found.hamming == pytest.approx(math.log(16 - 2**2))


def test_a_network_that_fires_alike_for_all_images_has_no_score() -> None:
    for value in (0.0, 1.0):
        kernels = Kernels(4)
        kernels.add([torch.full((4, 9), value)])
        assert kernels.scores() == Scores(-math.inf, -math.inf, -math.inf)


def test_channels_last_is_another_order_of_the_same_neurons() -> None:
    spikes = [(torch.rand(5, 3, 4, 4) < 0.3).float() for _ in range(2)]
    plain, last = Kernels(5), Kernels(5)
    plain.add(spikes)
    last.add([step.contiguous(memory_format=torch.channels_last) for step in spikes])
    assert plain.scores() == last.scores()


def test_the_published_batch_has_the_same_score_on_any_number_of_threads() -> None:
    # Some builds of torch have an MKL whose factorization of 256 rows is wrong on several threads.
    kernels = Kernels(256)
    kernels.add([(torch.rand(256, 500) < 0.2).float()])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = kernels.scores()
        torch.set_num_threads(2)
        two = kernels.scores()
    finally:
        torch.set_num_threads(before)
    assert two.hamming == pytest.approx(one.hamming, rel=1e-9)
    assert two.sahd_2022_07 == pytest.approx(one.sahd_2022_07, rel=1e-9)


def test_the_mean_keeps_infinity() -> None:
    assert mean([Scores(1.0, 2.0, 3.0), Scores(3.0, 4.0, -math.inf)]) == Scores(2.0, 3.0, -math.inf)
