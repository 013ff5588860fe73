"""Convolutions of spikes with int8 weights, exact in float32, by the fastest routine that the machine has.

All three routines give the same whole numbers, so which one runs shows in the time alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from toolchain.search.scoring.weights import Weights

Convolution = Callable[[Tensor], Tensor]
"""Spikes uint8 [B, H, W, C] -> sums of weights float32 [B, H, W, out]; stride 1, zero padded by k // 2."""


def convolution(weights: Weights, device: torch.device) -> Convolution:
    """The convolution with these weights on ``device``."""
    if device.type != "cpu":
        return by_matrices(weights, device)
    return in_int8(weights) if int8_works() else in_float(weights)


def in_float(weights: Weights) -> Convolution:
    """torch's float32 convolution; without NNPACK, whose Winograd transform is not exact."""
    kernel = weights.values.float().contiguous(memory_format=torch.channels_last)

    def convolve(spikes: Tensor) -> Tensor:
        with torch.backends.nnpack.flags(enabled=False):
            sums = functional.conv2d(spikes.float().permute(0, 3, 1, 2), kernel, padding=weights.kernel // 2)
        return sums.permute(0, 2, 3, 1).contiguous()

    return convolve


def by_matrices(weights: Weights, device: torch.device) -> Convolution:
    """A matrix product for each tap of the window: exact on devices whose convolutions may use Winograd."""
    padding = weights.kernel // 2
    taps = weights.values.float().to(device).permute(2, 3, 1, 0)

    def convolve(spikes: Tensor) -> Tensor:
        images, height, width, channels = spikes.shape
        padded = functional.pad(spikes.float(), (0, 0, padding, padding, padding, padding))
        sums = padded.new_zeros((images * height * width, taps.shape[-1]))
        for row, taps_of_row in enumerate(taps):
            for column, tap in enumerate(taps_of_row):
                window = padded[:, row : row + height, column : column + width]
                sums.addmm_(window.reshape(-1, channels), tap)
        return sums.unflatten(0, (images, height, width))

    return convolve


def in_int8(weights: Weights) -> Convolution:
    """oneDNN's 8-bit convolution with 32-bit sums: four products an instruction where the CPU has VNNI."""
    operations = torch.ops.onednn
    padding, out = [weights.kernel // 2] * 2, len(weights.values)
    ones, zeros = torch.ones(out), torch.zeros(out, dtype=torch.int64)
    packed = operations.qconv_prepack(weights.values, ones, 1.0, 0, [1, 1], padding, [1, 1], 1, None)

    def convolve(spikes: Tensor) -> Tensor:
        source = spikes.permute(0, 3, 1, 2)
        geometry = ([1, 1], padding, [1, 1], 1)
        sums: Tensor = operations.qconv2d_pointwise(
            source, 1.0, 0, packed, ones, zeros, None, *geometry, 1.0, 0, torch.float32, "none", [], ""
        )
        return sums.permute(0, 2, 3, 1).contiguous()

    return convolve


@lru_cache(maxsize=1)
def int8_works() -> bool:
    """Whether this CPU multiplies 8-bit pairs natively and this torch has the routine, tried on a small case."""
    if not getattr(torch.cpu, "_is_vnni_supported", lambda: False)():
        return False
    generator = torch.Generator().manual_seed(0)
    spikes = torch.randint(0, 2, (2, 5, 4, 8), generator=generator, dtype=torch.uint8)
    weights = Weights(torch.randint(-127, 128, (8, 8, 3, 3), generator=generator, dtype=torch.int8), 1.0)
    try:
        return torch.equal(in_int8(weights)(spikes), in_float(weights)(spikes))
    except (RuntimeError, AttributeError, TypeError, NotImplementedError):
        return False
