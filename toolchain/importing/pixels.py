"""What a brought model takes for a pixel: (q / scale - mean) / std of each channel. A network here takes q / 256."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolchain.errors import InputError
from toolchain.network.spiking import PIXEL_SCALE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PixelForm:
    """``mean`` and ``std``: one value, or one a channel, in units of q / scale, as torchvision's Normalize has them."""

    scale: float = 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        finite = np.isfinite([self.scale, *self.mean, *self.std]).all()
        if not finite or self.scale <= 0 or min(self.std) <= 0:
            raise InputError("--scale and --std are finite numbers above 0, and --mean is finite")

    def require_channels(self, channels: int) -> None:
        """Raise ``InputError`` unless there is one value, or one for each of ``channels``."""
        for option, values in (("--mean", self.mean), ("--std", self.std)):
            if len(values) not in (1, channels):
                raise InputError(
                    f"{option} has {len(values)} values, but the images have {channels} channels"
                )

    @property
    def is_centred(self) -> bool:
        """Whether a black pixel is something else than 0."""
        return any(self.mean)

    def values(self, pixels: Tensor) -> Tensor:
        """What the model is given for ``pixels`` uint8 [N, C, H, W]: float32."""
        mean, std = (torch.tensor(each).reshape(-1, 1, 1) for each in (self.mean, self.std))
        return (pixels.float() / self.scale - mean) / std

    def folded(self, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Weight [out, in, k, k] and bias [out] of a convolution of q / 256 that does what the given one does.

        Exact but where the padding is seen: there the model has 0, which is the mean, and q / 256 has black.
        """
        mean, std = (
            np.broadcast_to(np.array(each), weight.shape[1]).reshape(-1, 1, 1)
            for each in (self.mean, self.std)
        )
        found: Floats = weight / std
        offset: Floats = (found * mean).sum(axis=(1, 2, 3))
        return found * (PIXEL_SCALE / self.scale), bias - offset
