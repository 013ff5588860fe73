"""How such a user trains: snnTorch's own loop, pixels / 255, a loss on the sum over time."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from toolchain.datasets import Subset


def train(
    model: nn.Module, data: Subset, *, epochs: int, time_steps: int = 4, batch: int = 64, rate: float = 2e-3
) -> None:
    """Train ``model`` in place."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    steps = epochs * (len(data) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2 * rate, total_steps=steps)
    pixels, targets = torch.from_numpy(data.images), torch.from_numpy(data.targets)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(data), generator=generator)
        for start in range(0, len(data) - batch + 1, batch):
            chosen = order[start : start + batch]
            for module in model.modules():
                if hasattr(module, "reset_mem"):
                    module.reset_mem()
                    module.mem = module.mem.detach()
            total = torch.zeros(())
            for _ in range(time_steps):
                found = model(pixels[chosen].float() / 255)
                # A last neuron gives its spikes and its potential.
                total = total + (found[1] if isinstance(found, tuple) else found)
            loss = functional.cross_entropy(total, targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
