"""The layers of a model in the order in which they are applied, each with the name by which its user knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from toolchain.errors import InputError


@dataclass(frozen=True)
class Layer:
    """``place``: its index in the ``nn.Sequential``, as in ``3`` or ``features.3``, or the name of its NIR node."""

    place: str
    module: nn.Module

    def __str__(self) -> str:
        return f"layer {self.place} ({self.kind})"

    @property
    def kind(self) -> str:
        """Name of its class."""
        return type(self.module).__name__


def layers_of(model: nn.Module, name: str) -> tuple[Layer, ...]:
    """The layers of an ``nn.Sequential``, those of one within another included.

    Raises ``InputError`` if ``model`` is something else, whose ``forward`` may do anything.
    """
    if not isinstance(model, nn.Sequential):
        raise InputError(
            f"{name} is a {type(model).__name__}, whose forward may do anything; give an nn.Sequential of the layers"
        )
    found = tuple(_within(model, ""))
    if not found:
        raise InputError(
            f"{name} has no layers; give a model with a convolution, a neuron and a linear layer"
        )
    return found


def _within(model: nn.Sequential, prefix: str) -> list[Layer]:
    found: list[Layer] = []
    # Not named_children, which leaves out a module that is there a second time.
    for place, module in model._modules.items():
        assert module is not None
        if isinstance(module, nn.Sequential):
            found += _within(module, f"{prefix}{place}.")
        else:
            found.append(Layer(f"{prefix}{place}", module))
    return found


def pair(value: int | Sequence[int] | None, otherwise: int | Sequence[int] = 0) -> tuple[int, int]:
    """Height and width of an extent that torch takes as one number or two; ``otherwise`` where it is None."""
    given = otherwise if value is None else value
    if isinstance(given, int):
        return given, given
    height, width = given
    return int(height), int(width)
