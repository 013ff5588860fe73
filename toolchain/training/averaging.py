"""An exponential moving average of a network's weights, which is a better network than the last step's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Averages of every float parameter and buffer of ``network``.

    After n steps a value is averaged as m <- d m + (1 - d) v with d = min(decay, (1 + n) / (10 + n)), so that a
    short training is not an average with the weights it began from.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay, self.steps = network, decay, 0
        self.values = {name: value.detach().clone() for name, value in self._own().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's present weights."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        own = self._own()
        torch._foreach_lerp_(list(self.values.values()), [own[name] for name in self.values], share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network have the averages inside."""
        before = {name: value.detach().clone() for name, value in self._own().items()}
        self.write(self.values)
        try:
            yield
        finally:
            self.write(before)

    @torch.no_grad()
    def write(self, values: dict[str, Tensor]) -> None:
        """Give the network these values."""
        for name, own in self._own().items():
            own.copy_(values[name])

    def _own(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.network.state_dict().items() if value.is_floating_point()}
