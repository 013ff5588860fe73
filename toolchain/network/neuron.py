"""Leaky integrate-and-fire over all time steps at once, in torch, with snnTorch's surrogate gradient.

The float form is the limit of the integer one for small steps: u <- kept * u + i. The integer form holds
integers in float32 tensors, takes the floor that the arithmetic shift takes, and passes gradients
straight through it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from snntorch import surrogate
from torch import Tensor

from toolchain.graph.nodes import Leak

_heaviside: Callable[[Tensor], Tensor] = surrogate.atan(alpha=2.0)


class _Straight(torch.autograd.Function):
    """A step function applied forward, the identity backward (straight-through estimator)."""

    @staticmethod
    def forward(ctx: object, values: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
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


@dataclass(frozen=True)
class Dynamics:
    """How neurons of one map behave: leak, reset, and whether potentials are integers held in float32."""

    leak: Leak
    reset: Literal["subtract", "zero"]
    integer: bool

    def decay(self, potential: Tensor, out: Tensor) -> Tensor:
        """Write the decayed ``potential`` to ``out``; on integers this is exactly ``Leak.apply``."""
        if not self.integer or self.leak.form == "none":
            return torch.mul(potential, self.leak.kept, out=out)
        torch.mul(potential, 2.0**-self.leak.shift, out=out).floor_()
        return out if self.leak.form == "shift" else torch.sub(potential, out, out=out)


def integrate_and_fire(
    current: Tensor, time_steps: int, dynamics: Dynamics, threshold: Tensor, unit: Tensor
) -> Tensor:
    """Run a map of neurons from u = 0 and return its spikes, float 0/1 [T, N, C, H, W].

    ``current`` is [T, N, C, H, W], or [1, N, C, H, W] if it is the same in every step. ``threshold`` and
    ``unit`` are [C, 1, 1]; ``unit`` is the potential that stands for 1.0 and scales the surrogate's
    argument. Gradients flow to ``current`` alone, and not through the decision to reset (detached reset).
    """
    spikes: Tensor = _IntegrateAndFire.apply(current, time_steps, dynamics, threshold, unit)
    return spikes


class _IntegrateAndFire(torch.autograd.Function):
    """All time steps in one node of the autograd graph: only the recurrence itself is walked step by step."""

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, time_steps: int, dynamics: Dynamics, threshold: Tensor, unit: Tensor
    ) -> Tensor:
        potentials = current.new_empty((time_steps, *current.shape[1:]))
        spikes = torch.empty_like(potentials)
        left = torch.empty_like(potentials[0])
        for step, (potential, spike) in enumerate(zip(potentials, spikes, strict=True)):
            drive = current[step if len(current) > 1 else 0]
            if step:
                dynamics.decay(left, out=potential).add_(drive)
            else:
                potential.copy_(drive)
            torch.ge(potential, threshold, out=spike)
            if dynamics.reset == "subtract":
                torch.addcmul(potential, spike, threshold, value=-1, out=left)
            else:
                torch.addcmul(potential, spike, potential, value=-1, out=left)
        ctx.save_for_backward(potentials, spikes, threshold, unit)
        ctx.dynamics, ctx.constant = dynamics, len(current) == 1
        return spikes

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        potentials, spikes, threshold, unit = ctx.saved_tensors
        dynamics: Dynamics = ctx.dynamics
        with torch.enable_grad():
            # snnTorch's surrogates fire above 0; half the distance of two integers turns that into u >= theta.
            argument = ((potentials - threshold + (0.5 if dynamics.integer else 0.0)) / unit).requires_grad_()
            (steps,) = torch.autograd.grad(_heaviside(argument), argument, gradient)
        steps = steps.div_(unit)
        for step in range(len(steps) - 2, -1, -1):
            if dynamics.reset == "subtract":
                steps[step].add_(steps[step + 1], alpha=dynamics.leak.kept)
            else:
                steps[step].addcmul_(steps[step + 1], 1 - spikes[step], value=dynamics.leak.kept)
        return (steps.sum(0, keepdim=True) if ctx.constant else steps), None, None, None, None
