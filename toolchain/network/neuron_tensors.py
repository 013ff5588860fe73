"""Integrate and fire with tensor operations, on any device; only the recurrence is walked step by step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from snntorch import surrogate
from torch import Tensor

from toolchain.network.neuron_backend import Rule

_heaviside: Callable[[Tensor], Tensor] = surrogate.atan(alpha=2.0)


class Tensors:
    """``neuron_backend.Backend`` in torch."""

    def fire(self, current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule) -> Tensor:
        potentials = _potentials(current, gain, offset, time_steps, rule)
        return (potentials >= _by_channel(rule.level)).to(current.dtype)

    def adjoint(
        self, current: Tensor, gradient: Tensor, gain: Tensor, offset: Tensor, rule: Rule
    ) -> tuple[Tensor, Tensor, Tensor]:
        potentials = _potentials(current, gain, offset, len(gradient), rule)
        threshold, unit = _by_channel(rule.threshold), _by_channel(rule.unit)
        with torch.enable_grad():
            argument = ((potentials - threshold + rule.half) / unit).requires_grad_()
            spikes = _heaviside(argument)
            (slopes,) = torch.autograd.grad(spikes, argument, torch.ones_like(spikes))
        steps, zero = slopes.div_(unit), rule.dynamics.reset == "zero"
        of_left = torch.zeros_like(steps[0])
        for t in range(len(steps) - 1, -1, -1):
            given = gradient[t]
            if rule.dynamics.snntorch:
                given = given - of_left * (potentials[t] if zero else threshold)
            kept = of_left * (potentials[t] < _by_channel(rule.level)) if zero else of_left
            steps[t].mul_(given).add_(kept)
            of_left = steps[t] * rule.dynamics.leak.kept
        found = steps.sum(0, keepdim=True) if len(current) == 1 else steps
        everywhere = (0, 1, 3, 4)
        sums = found.sum(everywhere), (found * current).sum(everywhere)
        return found.to(current.dtype), *sums

    def moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        variance, mean = torch.var_mean(maps.float(), (0, 1, 3, 4), correction=0)
        return mean, variance

    def blend(self, out: Tensor, maps: Tensor, slope: Tensor, share: Tensor, shift: Tensor) -> None:
        out.mul_(_by_channel(slope)).addcmul_(maps, _by_channel(share)).add_(_by_channel(shift))


def _potentials(current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule) -> Tensor:
    """Potentials before each step's reset, [T, N, C, H, W]."""
    drive = current.float() * _by_channel(gain) + _by_channel(offset)
    threshold, level = _by_channel(rule.threshold), _by_channel(rule.level)
    kept, floored, scale = rule.dynamics.factors
    potentials = drive.new_empty((time_steps, *drive.shape[1:]))
    for step, potential in enumerate(potentials):
        potential.copy_(drive[step if len(drive) > 1 else 0])
        if step:
            before = potentials[step - 1]
            drop = threshold if rule.dynamics.reset == "subtract" else before
            left = before - (before >= level) * drop
            potential.add_(left, alpha=kept)
            if floored:
                potential.add_(torch.floor(left * scale), alpha=floored)
    return potentials


def _by_channel(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1)
