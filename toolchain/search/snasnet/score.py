"""How the published search scores a candidate: a network of its own, random weights, two batches of images.

The network is in training mode, so norms use the batch's statistics and dropout is active. As published, every
layer of neurons in every time step adds a kernel. Unlike the published program, which carries the membrane
potentials of the first batch into the second, every batch starts at v = 0.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Pixels
from toolchain.network.snasnet import Neurons, SnasnetNetwork
from toolchain.search.snasnet.jobs import BATCH, REPEATS
from toolchain.search.snasnet.kernels import Kernels, Scores, mean


def score(
    architecture: SnasnetArchitecture,
    images: Pixels,
    classes: int,
    *,
    seed: int,
    batch: int = BATCH,
    repeats: int = REPEATS,
) -> Scores:
    """Mean score over ``repeats`` batches of ``images`` uint8 [n, C, H, W] in one network drawn from ``seed``.

    ``seed`` also draws the batches, each without repetition, and the dropout. It runs on the threads that torch
    has. A map of the first cell takes batch * T * C * H * W * 4 bytes, and up to eight are alive. Raises
    ``InputError`` if the images are too small for the architecture.
    """
    network = SnasnetNetwork(architecture, Shape(*images.shape[1:]), classes, seed=seed).train()
    # Convolutions, norms and pooling are all faster with the channels last.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rng = np.random.default_rng(seed)
    scores = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(repeats):
            chosen = np.sort(rng.choice(len(images), min(batch, len(images)), replace=False))
            scores.append(_score_batch(network, torch.from_numpy(images[chosen])))
    return mean(scores)


def _score_batch(network: SnasnetNetwork, pixels: Tensor) -> Scores:
    kernels = Kernels(len(pixels))

    def observe(layer: nn.Module, _: object, spikes: list[Tensor]) -> None:
        assert isinstance(layer, Neurons)
        kernels.add(spikes, layer.layers)

    handles = [
        module.register_forward_hook(observe) for module in network.modules() if isinstance(module, Neurons)
    ]
    try:
        network(pixels.contiguous(memory_format=torch.channels_last))
    finally:
        for handle in handles:
            handle.remove()
    return kernels.scores()
