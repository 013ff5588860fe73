"""Leaky integrate-and-fire over all time steps at once, in torch, with snnTorch's surrogate gradient.

The float form is the limit of the integer one for small steps: u <- kept * u + i. The integer form holds
integers in float32 tensors, takes the floor that the arithmetic shift takes, and passes gradients
straight through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from toolchain.network.neuron_backend import Dynamics, Rule, backend

__all__ = ["Dynamics", "floor_through", "integrate_and_fire", "normalize_and_fire", "round_through"]


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


def integrate_and_fire(
    current: Tensor,
    time_steps: int,
    dynamics: Dynamics,
    threshold: Tensor,
    unit: Tensor,
    *,
    gain: Tensor | None = None,
    offset: Tensor | None = None,
) -> Tensor:
    """Run a map of neurons from u = 0 and return its spikes, float 0/1 [T, N, C, H, W].

    ``current`` is [T, N, C, H, W], or [1, N, C, H, W] if it is the same in every step; the neurons get gain *
    current + offset, by default 1 and 0. ``unit`` is the potential that stands for 1.0 and scales the
    surrogate's argument. ``threshold``, ``unit``, ``gain`` and ``offset`` have one value a channel, in any shape.
    Gradients flow to ``current``, ``gain`` and ``offset``, and not through the decision to reset (detached reset),
    unless ``dynamics`` are snnTorch's.
    """
    ones = torch.ones_like(threshold).flatten()
    rule = Rule.of(dynamics, threshold, unit)
    spikes: Tensor = _IntegrateAndFire.apply(
        current,
        ones if gain is None else gain.flatten(),
        torch.zeros_like(ones) if offset is None else offset.flatten(),
        time_steps,
        rule,
    )
    return spikes


def normalize_and_fire(
    sums: Tensor,
    norm: nn.BatchNorm2d,
    time_steps: int,
    dynamics: Dynamics,
    threshold: Tensor,
    unit: Tensor,
) -> Tensor:
    """``integrate_and_fire`` of batch-normalized ``sums`` [T or 1, N, C, H, W], with nothing kept in between.

    The moments are those of the batch over all time steps when ``norm`` trains, and its running ones otherwise,
    which it updates as ``nn.BatchNorm2d`` does.
    """
    assert norm.running_mean is not None and norm.running_var is not None
    if not norm.training:
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        offset = norm.bias - norm.running_mean * gain
        return integrate_and_fire(sums, time_steps, dynamics, threshold, unit, gain=gain, offset=offset)
    mean, variance = backend(sums).moments(sums.detach())
    count = sums.numel() // len(mean)
    with torch.no_grad():
        assert norm.momentum is not None and norm.num_batches_tracked is not None
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (count / max(count - 1, 1)), norm.momentum)
        norm.num_batches_tracked.add_(1)
    rule = Rule.of(dynamics, threshold, unit)
    inverse = torch.rsqrt(variance + norm.eps)
    spikes: Tensor = _NormalizeAndFire.apply(sums, norm.weight, norm.bias, mean, inverse, time_steps, rule)
    return spikes


class _IntegrateAndFire(torch.autograd.Function):
    """All time steps in one node of the autograd graph."""

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, gain: Tensor, offset: Tensor, time_steps: int, rule: Rule
    ) -> Tensor:
        ctx.save_for_backward(current, gain, offset)
        ctx.rule = rule
        return backend(current).fire(current, gain, offset, time_steps, rule)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        current, gain, offset = ctx.saved_tensors
        found, total, product = backend(current).adjoint(current, gradient, gain, offset, ctx.rule)
        if bool((gain != 1).any()):
            found.mul_(gain.reshape(-1, 1, 1))
        return found, product, total, None, None


class _NormalizeAndFire(torch.autograd.Function):
    """Normalization by a batch's own moments and all time steps in one node of the autograd graph.

    With x' = (x - mean) * inverse and g the gradient of weight * x' + bias: the gradient of x is
    weight * inverse * (g - average(g) - x' * average(g * x')) (Ioffe and Szegedy, arXiv 1502.03167, section 3).
    """

    @staticmethod
    def forward(
        ctx: Any,
        sums: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        inverse: Tensor,
        time_steps: int,
        rule: Rule,
    ) -> Tensor:
        ctx.save_for_backward(sums, weight, bias, mean, inverse)
        ctx.rule = rule
        gain = weight * inverse
        return backend(sums).fire(sums, gain, bias - mean * gain, time_steps, rule)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None, None]:
        sums, weight, bias, mean, inverse = ctx.saved_tensors
        gain = weight * inverse
        work = backend(sums)
        found, total, product = work.adjoint(sums, gradient, gain, bias - mean * gain, ctx.rule)
        of_weight = inverse * (product - mean * total)
        count = sums.numel() // len(mean)
        share = -gain * inverse * of_weight / count
        work.blend(found, sums, gain, share, -share * mean - gain * total / count)
        return found, of_weight, total, None, None, None, None
