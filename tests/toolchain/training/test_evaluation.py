"""Quality on images that a network does not learn from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.data import bars
from toolchain.training import evaluation
from toolchain.training.objective import Classification


def test_accuracy_counts_every_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 7)
    data = bars(60).test

    class Oracle(torch.nn.Module):
        """Knows the first ten images."""

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            right = torch.from_numpy(np.array([self.answer(image) for image in pixels.numpy()]))
            return torch.nn.functional.one_hot(right, 3).float()

        def answer(self, image: np.ndarray) -> int:
            (index,) = np.flatnonzero((data.images == image).all(axis=(1, 2, 3)))
            return int(data.targets[index]) if index < 10 else int(data.targets[index] + 1) % 3

    assert evaluation.quality(Oracle(), data, Classification()) == 10 / 15


def test_images_go_where_the_network_is() -> None:
    class Elsewhere(torch.nn.Module):
        """Has its parameters on a device without data, as they would be on an accelerator."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1, device="meta"))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            assert pixels.device == self.weight.device
            return torch.zeros(len(pixels), 3)

    assert evaluation.quality(Elsewhere(), bars(60).test, Classification()) > 0
