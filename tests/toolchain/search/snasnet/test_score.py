from __future__ import annotations

import numpy as np
import pytest
import torch

from toolchain.architecture.snasnet import SnasnetArchitecture, parse
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import Neurons, SnasnetNetwork
from toolchain.search.snasnet.kernels import Kernels
from toolchain.search.snasnet.score import score


def images(count: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, 16, 16)).astype(np.uint8)


def small(cells: str = "223324 303030") -> SnasnetArchitecture:
    return parse(f"snasnet t3 stem4/1 {cells} pool2 fc40 voters2")


def test_the_seed_decides() -> None:
    torch.manual_seed(1)
    one = score(small(), images(), 5, seed=7, batch=16)
    torch.manual_seed(2)
    drawn = torch.rand(1)
    torch.manual_seed(2)
    assert score(small(), images(), 5, seed=7, batch=16) == one
    assert torch.rand(1) == drawn  # the process's own generator is left as it was
    assert score(small(), images(), 5, seed=8, batch=16) != one


def test_every_layer_of_neurons_and_time_step_has_a_kernel() -> None:
    """Against a network whose spikes are collected one layer after the other, in another memory format."""
    architecture, seed = small(), 3
    found = score(architecture, images(16), 5, seed=seed, batch=16, repeats=1)
    network = SnasnetNetwork(architecture, Shape(3, 16, 16), 5, seed=seed).train()
    maps: list[tuple[list[torch.Tensor], int]] = []
    for module in network.modules():
        if isinstance(module, Neurons):
            module.register_forward_hook(lambda layer, _, spikes: maps.append((spikes, layer.layers)))
    torch.manual_seed(seed)
    with torch.no_grad():
        network(torch.from_numpy(images(16)))
    # Five and three edges with convolutions, then the reduction's, the last and the fully connected layer's neurons.
    assert sum(layers for _, layers in maps) == 5 + 3 + 3
    assert all(len(spikes) == 3 for spikes, _ in maps)
    kernels = Kernels(16)
    for spikes, layers in maps:
        kernels.add(spikes, layers)
    assert kernels.scores().hamming == pytest.approx(found.hamming, rel=1e-3)
    assert kernels.scores().sahd_2022_01 == pytest.approx(found.sahd_2022_01, rel=1e-3)


def test_repeats_are_batches_of_one_network_that_starts_from_rest() -> None:
    # As many images as the batch holds, and no dropout to draw: both batches are the same.
    architecture = small()
    once = score(architecture, images(16), 5, seed=3, batch=16, repeats=1)
    twice = score(architecture, images(16), 5, seed=3, batch=16, repeats=2)
    assert twice.sahd_2022_01 == pytest.approx(once.sahd_2022_01, rel=0.02)
    assert score(architecture, images(), 5, seed=3, batch=16, repeats=1) != once


def test_images_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="leaves nothing"):
        score(small(), images()[:, :, :3], 5, seed=0)
