"""A brought model as it is: run in snnTorch, in float, on the same images."""

from __future__ import annotations

import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from toolchain.errors import InputError
from toolchain.importing.pixels import PixelForm
from toolchain.training.evaluation import scores


def outputs(
    model: nn.Module, images: NDArray[np.uint8], time_steps: int, form: PixelForm
) -> NDArray[np.float32]:
    """What the model gives, summed over all time steps: [n, classes] of images uint8 [n, C, H, W], or [n, T, C, H, W].

    Of a last neuron these are its spikes. Raises ``InputError`` if the model cannot be run on such images.
    """

    def forward(pixels: Tensor) -> Tensor:
        _forget(model)
        total = torch.zeros(())
        for step in range(time_steps):
            found = model(form.values(pixels[:, step] if pixels.ndim == 5 else pixels))
            # A neuron with output=True gives its spikes and its potential.
            total = total + (found[0] if isinstance(found, tuple) else found)
        return total

    model.eval()
    try:
        return scores(forward, images)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the model cannot be run on images of {list(images.shape[1:])}: {said}; give the size and channels that "
            "it was trained on (--size, --channels)"
        ) from error


def _forget(model: nn.Module) -> None:
    """Start every neuron at a potential of 0."""
    for module in model.modules():
        if isinstance(module, snntorch.SpikingNeuron):
            module.reset_mem()
