"""The training loop of one phase, and evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from toolchain.datasets import Subset
from toolchain.errors import InputError
from toolchain.training.augmentation import shifted

Progress = Callable[[str], None]
EVALUATION_BATCH = 100
"""Images of a forward pass without gradients: more take twice as long, because their maps outgrow the cache."""
WARM_UP = 0.2
"""Share of the steps in which the learning rate rises."""


def train_phase(
    network: nn.Module,
    data: Subset,
    *,
    epochs: int,
    batch: int,
    rate: float,
    weight_decay: float,
    seed: int,
    after_epoch: Callable[[int, float], None],
) -> None:
    """Minimize cross-entropy of ``network`` on ``data`` with AdamW under a one-cycle learning rate.

    ``after_epoch(epoch, mean_loss)`` is called behind each epoch. Raises ``InputError`` if the loss
    becomes infinite or undefined.
    """
    steps = len(data.images) // batch or 1
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=weight_decay)
    schedule = _one_cycle(optimizer, rate, epochs * steps)
    shuffle = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        network.train()
        total = 0.0
        for pixels, targets in _batches(data, batch, steps, shuffle):
            loss = functional.cross_entropy(network(shifted(pixels, shuffle)), targets)
            if not torch.isfinite(loss):
                raise InputError(f"training diverged in epoch {epoch + 1}; train again with another --seed")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        after_epoch(epoch, total / steps)


@torch.no_grad()
def scores(forward: Callable[[Tensor], Tensor], images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Apply ``forward`` to all ``images`` in batches: float32 [n, classes]."""
    parts = [
        forward(torch.from_numpy(images[start : start + EVALUATION_BATCH])).numpy()
        for start in range(0, len(images), EVALUATION_BATCH)
    ]
    return np.concatenate(parts)


def accuracy(network: nn.Module, data: Subset) -> float:
    """Share of ``data`` whose highest logit is the target's; of equal logits the first counts."""
    network.eval()
    return float((scores(network, data.images).argmax(axis=1) == data.targets).mean())


def seconds_per_epoch(network: nn.Module, data: Subset, batch: int, probes: int = 3) -> float:
    """Estimate an epoch's seconds from a few forward and backward passes; the network is left as it was."""
    network.train()
    state = {name: values.clone() for name, values in network.state_dict().items()}
    durations = []
    for pixels, targets in _batches(data, batch, probes, torch.Generator().manual_seed(0)):
        start = time.perf_counter()
        functional.cross_entropy(network(pixels), targets).backward()
        durations.append(time.perf_counter() - start)
    network.zero_grad(set_to_none=True)
    network.load_state_dict(state)
    # The first pass also allocates; the fastest is the closest to what a long run sees.
    return min(durations) * (len(data.images) / batch)


def _one_cycle(
    optimizer: torch.optim.Optimizer, rate: float, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    # A rise of exactly one step makes torch divide by zero.
    share = WARM_UP if WARM_UP * steps != 1 else 2 * WARM_UP
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=share)


def _batches(
    data: Subset, batch: int, steps: int, shuffle: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    images, targets = torch.from_numpy(data.images), torch.from_numpy(data.targets)
    order = torch.randperm(len(images), generator=shuffle)
    for step in range(steps):
        chosen = order[step * batch : (step + 1) * batch]
        if len(chosen):
            yield images[chosen], targets[chosen]
