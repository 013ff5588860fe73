"""Leaky integrate-and-fire over all time steps, in torch, with snnTorch's surrogate gradient.

The float form is the limit of the integer one for small steps: u <- kept * u + i. The integer form
holds integers in float32 tensors, takes the floor that the arithmetic shift takes, and passes gradients
straight through it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from snntorch import surrogate
from torch import Tensor

from toolchain.graph.nodes import Leak

_heaviside = surrogate.atan(alpha=2.0)

Decay = Callable[[Tensor], Tensor]


class _Straight(torch.autograd.Function):
    """A step function applied forward, the identity backward (straight-through estimator)."""

    @staticmethod
    def forward(ctx: object, values: Tensor, step: Decay) -> Tensor:
        return step(values)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def floor_through(values: Tensor) -> Tensor:
    """floor(values); gradients pass unchanged."""
    result: Tensor = _Straight.apply(values, torch.floor)
    return result


def round_through(values: Tensor) -> Tensor:
    """values rounded, ties to even; gradients pass unchanged."""
    result: Tensor = _Straight.apply(values, torch.round)
    return result


def float_decay(leak: Leak) -> Decay:
    """The leak without the floor: u * kept."""
    return lambda potential: potential * leak.kept


def integer_decay(leak: Leak) -> Decay:
    """The leak of ``Leak.apply`` on float32 tensors that hold integers, exactly."""
    factor = 2.0**-leak.shift
    if leak.form == "none":
        return lambda potential: potential
    if leak.form == "shift":
        return lambda potential: floor_through(potential * factor)
    return lambda potential: potential - floor_through(potential * factor)


def integrate_and_fire(
    current: Tensor,
    time_steps: int,
    decay: Decay,
    reset: str,
    threshold: Tensor,
    unit: Tensor,
    half_step: float = 0.0,
) -> Tensor:
    """Run a map of neurons from u = 0 and return its spikes, float 0/1 [T, N, C, H, W].

    ``current`` is [T, N, C, H, W], or [1, N, C, H, W] if it is the same in every step. ``threshold`` and
    ``unit`` are [C, 1, 1]; ``unit`` is the potential that stands for 1.0 and scales the surrogate's
    argument. snnTorch's surrogates fire on an argument above 0; ``half_step``, half the distance of two
    possible potentials (0.5 for integers), turns that into u >= threshold.
    """
    inverse = 1.0 / unit
    potential: Tensor | None = None
    spikes = []
    for step in range(time_steps):
        drive = current[step if len(current) > 1 else 0]
        potential = drive if potential is None else decay(potential) + drive
        spike = _heaviside((potential - threshold + half_step) * inverse)
        # Detached reset: the gradient goes through the potential that stays, not through the decision to reset it.
        fired = spike.detach()
        potential = potential - threshold * fired if reset == "subtract" else potential * (1.0 - fired)
        spikes.append(spike)
    return torch.stack(spikes)
