"""What computes a map of neurons: compiled loops on a CPU, tensor operations elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal, Protocol

import torch
from torch import Tensor

from toolchain.graph.nodes import Leak


@dataclass(frozen=True)
class Dynamics:
    """How neurons of one map behave: leak, reset, and whether potentials are integers held in float32.

    ``snntorch``: a neuron fires above its threshold and not at it, and gradients flow through the decision to
    reset, as in ``snntorch.Leaky`` with ``reset_delay=False``.
    """

    leak: Leak
    reset: Literal["subtract", "zero"]
    integer: bool
    snntorch: bool = False

    @property
    def factors(self) -> tuple[float, float, float]:
        """(a, b, 2**-k): a potential u decays to a * u + b * floor(u * 2**-k), on integers as ``Leak.apply``."""
        if not self.integer or self.leak.form == "none":
            return self.leak.kept, 0.0, 0.0
        scale = 2.0**-self.leak.shift
        return (1.0, -1.0, scale) if self.leak.form == "subtract" else (0.0, 1.0, scale)


@dataclass(frozen=True)
class Rule:
    """When neurons of a map fire; float32 [C] each, ``level`` being the least potential that fires."""

    dynamics: Dynamics
    threshold: Tensor
    level: Tensor
    unit: Tensor

    @classmethod
    def of(cls, dynamics: Dynamics, threshold: Tensor, unit: Tensor) -> Rule:
        """For a threshold and a unit of any shape."""
        flat = threshold.flatten()
        level = torch.nextafter(flat, torch.full_like(flat, torch.inf)) if dynamics.snntorch else flat
        return cls(dynamics, flat, level, unit.flatten())

    @property
    def half(self) -> float:
        """Surrogates are steps at 0: half the distance of two integers turns that into u >= threshold."""
        return 0.5 if self.dynamics.integer else 0.0


class Backend(Protocol):
    """Maps are [T or 1, N, C, H, W], float32 or bfloat16, fastest with channels last in memory; all values of
    channels are float32 [C]."""

    def fire(self, current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule) -> Tensor:
        """Spikes [T, N, C, H, W] of neurons that are driven by gain * current + offset."""
        ...

    def adjoint(
        self, current: Tensor, gradient: Tensor, gain: Tensor, offset: Tensor, rule: Rule
    ) -> tuple[Tensor, Tensor, Tensor]:
        """From d loss / d spikes: g = d loss / d (gain * current + offset), and for each channel [C] the sum of g
        and of g * current."""
        ...

    def moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel [C]."""
        ...

    def blend(self, out: Tensor, maps: Tensor, slope: Tensor, share: Tensor, shift: Tensor) -> None:
        """out <- slope * out + share * maps + shift, each of these [C]."""
        ...


def backend(maps: Tensor) -> Backend:
    """What computes on the device of ``maps``."""
    return _backend(maps.device.type)


@lru_cache
def _backend(device: str) -> Backend:
    if device == "cpu" and find_spec("numba") is not None:
        from toolchain.network.neuron_compiled import Compiled

        return Compiled()
    from toolchain.network.neuron_tensors import Tensors

    return Tensors()
