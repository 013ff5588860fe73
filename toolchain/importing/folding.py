"""Linear layers made one: batch normalization and average pooling folded into the weights beside them, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from toolchain.graph.nodes import Shape
from toolchain.importing.layers import pair

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Current:
    """What drives neurons: a convolution with ``weight`` [out, in, k, k], padded by k // 2, and ``bias`` [out]."""

    weight: Floats
    bias: Floats
    stride: int = 1

    @property
    def kernel(self) -> int:
        """1 or 3."""
        return self.weight.shape[2]

    def scaled(self, gain: Floats) -> Current:
        """With the current of each channel multiplied by ``gain`` [out]."""
        return replace(self, weight=self.weight * gain.reshape(-1, 1, 1, 1), bias=self.bias * gain)


def normalized(current: Current, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Current:
    """``current`` and the batch normalization behind it."""
    assert norm.running_mean is not None and norm.running_var is not None
    gain = 1 / np.sqrt(float64(norm.running_var) + norm.eps)
    shift = np.zeros_like(gain)
    if norm.affine:
        gain, shift = gain * float64(norm.weight), float64(norm.bias)
    centred = replace(current, bias=current.bias - float64(norm.running_mean))
    scaled = centred.scaled(gain)
    return replace(scaled, bias=scaled.bias + shift)


def pooled(current: Current, pooling: nn.Module, shape: Shape, *, before: bool) -> Current | None:
    """A 1x1 convolution of a map of ``shape`` and the average pooling ``before`` or behind it as one 3x3 convolution;
    None where that is not the same.

    Behind it the pooling also averages the bias, which stays as it is only where no padding is averaged with it.
    """
    if not isinstance(pooling, nn.AvgPool2d) or current.kernel != 1 or current.stride != 1:
        return None
    kernel, padding = pair(pooling.kernel_size), pair(pooling.padding)
    stride = pair(pooling.stride, pooling.kernel_size)
    form = (kernel[0], stride[0], padding[0])
    square = all(height == width for height, width in (kernel, stride, padding))
    weight = current.weight / (pooling.divisor_override or kernel[0] * kernel[1])
    if not square or pooling.ceil_mode:
        return None
    if form == (2, 2, 0) and shape.height % 2 == shape.width % 2 == 0:
        corner = np.zeros((*weight.shape[:2], 3, 3))
        corner[:, :, 1:, 1:] = weight
        # Behind the convolution a divisor other than four would change the bias as well.
        same_bias = before or (pooling.divisor_override or 4) == 4
        return Current(corner, current.bias, 2) if same_bias else None
    if form in ((3, 1, 1), (3, 2, 1)) and before and (pooling.count_include_pad or pooling.divisor_override):
        return Current(np.broadcast_to(weight, (*weight.shape[:2], 3, 3)).copy(), current.bias, form[1])
    return None


def spread(weight: Floats, poolings: Sequence[nn.Module], shape: Shape) -> Floats:
    """Weights [out, C, h, w] of a pooled map as weights [out, C, H, W] of the map of ``shape`` before the ``poolings``.

    Pooling by averages is linear, so these are the derivatives of the sum with respect to the map.
    """
    if not poolings:
        return weight
    maps = torch.zeros((len(weight), *shape), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad((applied(poolings, maps) * torch.from_numpy(weight)).sum(), maps)
    return float64(found)


def applied(poolings: Sequence[nn.Module], maps: Tensor) -> Tensor:
    """``maps`` behind all ``poolings``."""
    for pooling in poolings:
        maps = pooling(maps)
    return maps


def float64(values: Tensor) -> Floats:
    """A tensor as a float64 array of its own."""
    found: Floats = values.detach().cpu().double().numpy()
    return found
