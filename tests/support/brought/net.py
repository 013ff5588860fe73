"""A user's own file: snnTorch models as its tutorials build them."""

from __future__ import annotations

import snntorch as snn
from torch import nn


def leaky(beta: float = 0.9, **options: object) -> snn.Leaky:
    return snn.Leaky(beta=beta, init_hidden=True, **options)


def build(side: int = 16) -> nn.Sequential:
    """For images of ``side`` x ``side``, grey, ten classes."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.BatchNorm2d(16),
        leaky(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        leaky(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(32 * (side // 4) ** 2, 10),
        leaky(output=True),
    )


def fashion() -> nn.Sequential:
    """For Fashion-MNIST, read out by what its last layer gives."""
    return build(28)[:-1]
