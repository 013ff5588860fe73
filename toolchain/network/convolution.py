"""A convolution of integers, exact forward, with gradients that may be of a shorter type."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def convolve(maps: Tensor, weight: Tensor, stride: int, *, short_gradients: bool) -> Tensor:
    """Cross-correlation of [B, in, H, W] with [out, in, k, k], zero padded by k // 2; integers held in float32.

    ``short_gradients``: gradients are computed in bfloat16, in half the time where the processor has it. Pixels,
    spikes and int8 weights are exact in bfloat16, so that only the incoming gradient is rounded.
    """
    padding = weight.shape[2] // 2
    if not short_gradients:
        return functional.conv2d(maps, weight, None, stride, padding)
    result: Tensor = _Convolution.apply(maps, weight, stride, padding)
    return result


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(maps.bfloat16(), weight.bfloat16())
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(maps, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        maps, weight = ctx.saved_tensors
        wanted = [ctx.needs_input_grad[0], True, False]
        strides, paddings = [ctx.stride] * 2, [ctx.padding] * 2
        of_maps, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient.bfloat16(), maps, weight, None, strides, paddings, [1, 1], False, [0, 0], 1, wanted
        )
        return None if of_maps is None else of_maps.float(), of_weight.float(), None, None
