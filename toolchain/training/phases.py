"""Both phases of training: in float from scratch, then in integers from what the float phase found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import nn

from toolchain.datasets import Subset
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.loop import train_phase
from toolchain.training.recipe import Recipe

Phase = Literal["float", "integer"]
AfterEpoch = Callable[[Phase, int, float, nn.Module], None]
"""Called behind each epoch with the phase, the epoch from 0, the mean loss and the network as it is then."""


def train_both(
    network: SpikingNetwork,
    data: Subset,
    plan: Recipe,
    *,
    seed: int,
    after_epoch: AfterEpoch,
    tuning: Subset | None = None,
) -> QuantizedNetwork:
    """Train ``network`` in place on ``data`` as ``plan`` says, then fine-tune and return its integer form.

    Fine-tuning takes ``tuning``, or ``data`` again. The integer network keeps every bound of the Graph. Raises
    ``InputError`` if training diverges.
    """
    train_phase(
        network,
        data,
        epochs=plan.float_epochs,
        batch=plan.batch,
        rate=plan.float_rate,
        weight_decay=plan.weight_decay,
        seed=seed,
        after_epoch=lambda epoch, loss: after_epoch("float", epoch, loss, network),
    )
    quantized = QuantizedNetwork(network.eval())

    def after_integers(epoch: int, loss: float) -> None:
        quantized.refit()
        after_epoch("integer", epoch, loss, quantized)

    train_phase(
        quantized,
        data if tuning is None else tuning,
        epochs=plan.quantized_epochs,
        batch=plan.batch,
        rate=plan.quantized_rate,
        weight_decay=0.0,
        seed=seed + 1,
        after_epoch=after_integers,
    )
    return quantized
