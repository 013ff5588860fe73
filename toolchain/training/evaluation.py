"""What a network is worth on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from toolchain.datasets import Subset
from toolchain.training.objective import Objective

EVALUATION_BATCH = 100
"""Images of a forward pass without gradients: more take twice as long, because their maps outgrow the cache."""


@torch.no_grad()
def scores(
    forward: Callable[[Tensor], Tensor], images: NDArray[np.uint8], device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Apply ``forward``, which computes on ``device``, to all ``images`` in batches: float32 [n, classes]."""
    parts = [
        forward(torch.from_numpy(images[start : start + EVALUATION_BATCH]).to(device)).cpu().numpy()
        for start in range(0, len(images), EVALUATION_BATCH)
    ]
    return np.concatenate(parts)


def quality(network: nn.Module, data: Subset, objective: Objective) -> float:
    """How good ``network`` is on ``data``; see ``Objective.quality``."""
    network.eval()
    device = next((values.device for values in network.parameters()), "cpu")
    return objective.quality(scores(network, data.images, device), data.targets)
