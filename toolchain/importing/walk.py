"""The walk over a model's layers, each of which becomes a node, is folded into one, or is refused by name.

A convolution or linear layer, with what is folded into it, waits as a current until the neuron that it drives is met;
average pooling of spikes waits until the layer that reads it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
import snntorch
import torch
from torch import nn

from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.graph.nodes import (
    Edge,
    Head,
    Input,
    Lif,
    Node,
    OrPool,
    PixelConv,
    Shape,
    SpikeConv,
    conv_output,
)
from toolchain.importing.folding import Current, Floats, applied, float64, normalized, pooled, spread
from toolchain.importing.layers import Layer
from toolchain.importing.leaks import CLOSE, in_words, nearest_leak
from toolchain.importing.pixels import PixelForm

PIXELS, HEAD = "pixels", "head"
MOST_HIDDEN_SIDE = 2
"""Largest side of a map that a hidden Linear may read: a 3x3 convolution with stride 2 sees all of it at once."""


@dataclass
class Walk:
    """Where the walk over the layers stands: ``source`` and ``shape`` are the map that the next layer reads, behind
    the ``poolings`` that are not folded yet."""

    data: Dataset
    form: PixelForm
    nodes: list[Node] = field(init=False)
    source: str = PIXELS
    shape: Shape = field(init=False)
    poolings: list[nn.Module] = field(default_factory=list)
    flat: bool = False
    current: Current | None = None
    driver: Layer | None = None
    currents: dict[str, Current] = field(default_factory=dict)
    head: tuple[Floats, Floats] | None = None
    became: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shape = self.data.pixels
        self.nodes = [Input(PIXELS, self.shape, self.data.preprocessing.frames)]

    def take(self, layer: Layer, *, last: bool) -> None:
        """Carry one layer over; ``last``: the Linear that gives the scores."""
        if self.head is not None:
            self._behind_the_head(layer)
        elif last:
            self._score(layer)
        else:
            self.became.append((str(layer), self._takers()[type(layer.module)](layer)))

    def all_notes(self) -> list[str]:
        """What is not quite the same."""
        general = []
        if self.late:
            general.append(
                f"layers {', '.join(self.late)} reset by subtraction a step late (reset_delay=True): a neuron that "
                "fired goes on from beta * u - threshold there and from beta * (u - threshold) here; --epochs heals "
                "what it costs"
            )
        if self.twice:
            general.append(
                f"layers {', '.join(self.twice)} reset by subtraction: snnTorch subtracts again, before the next step, "
                "from a potential that is still above its threshold, and here it fires again"
            )
        general.append(
            "snnTorch's neurons fire above their threshold and these at it, which matters where a potential is exactly "
            "the threshold"
        )
        return self.notes + general

    def _takers(self) -> dict[type[nn.Module], Callable[[Layer], str]]:
        return {
            nn.Conv2d: self._convolution,
            nn.Linear: self._hidden,
            nn.BatchNorm1d: self._norm,
            nn.BatchNorm2d: self._norm,
            nn.MaxPool2d: self._max_pooling,
            nn.AvgPool2d: self._average,
            nn.AdaptiveAvgPool2d: self._average,
            nn.Flatten: self._flatten,
            nn.Dropout: self._nothing,
            nn.Dropout2d: self._nothing,
            nn.Identity: self._nothing,
            snntorch.Leaky: self._neuron,
        }

    def _convolution(self, layer: Layer) -> str:
        module = layer.module
        assert isinstance(module, nn.Conv2d)
        self._require_no_current(layer)
        if self.flat:
            refuse(layer, "comes behind a Flatten; put it before")
        if module.in_channels != self.shape.channels:
            refuse(
                layer,
                f"takes {module.in_channels} channels and gets {self.shape.channels}; {self._other_data()}",
            )
        weight, bias = _values(module)
        if self.source == PIXELS:
            weight, bias = self.form.folded(weight, bias)
            if self.form.is_centred and module.kernel_size[0] > 1:
                self.notes.append(
                    f"{layer}: pixels have a mean of {', '.join(map(str, self.form.mean))}, with which the model pads, "
                    "and here padding is black, so outputs at the edge differ; --epochs heals what it costs"
                )
        current = Current(weight, bias, int(module.stride[0]))
        if self.poolings:
            first, *others = self.poolings
            folded = None if others else pooled(current, first, self.shape, before=True)
            if folded is None:
                refuse(
                    layer,
                    "reads averages of spikes, which are no spikes; use MaxPool2d(2) or a convolution with stride 2 "
                    "instead of the pooling (averages fold into a 1x1 convolution, or into the last Linear)",
                )
            current, self.poolings = folded, []
        self.current, self.driver = current, layer
        return "weights" if current.kernel == module.kernel_size[0] else "weights, with the pooling before it"

    def _hidden(self, layer: Layer) -> str:
        weight, bias = self._linear(layer)
        height, width = weight.shape[2:]
        if max(height, width) > MOST_HIDDEN_SIDE:
            refuse(
                layer,
                f"is hidden and reads a map of {height}x{width}: weights of a map are shared over its places here; "
                f"shrink the map to {MOST_HIDDEN_SIDE}x{MOST_HIDDEN_SIDE} before it, or leave it out: only the last "
                "Linear may read a larger map",
            )
        if (height, width) == (1, 1):
            self.current = Current(weight, bias)
        else:
            # With stride 2 and padding 1 the one output sees such a map from its middle on.
            kernel = np.zeros((*weight.shape[:2], 3, 3))
            kernel[:, :, 1 : 1 + height, 1 : 1 + width] = weight
            self.current = Current(kernel, bias, 2)
        self.driver, self.poolings = layer, []
        return "weights, as a convolution"

    def _linear(self, layer: Layer) -> tuple[Floats, Floats]:
        """Weights [out, C, H, W] of the whole map that is read, and bias [out]."""
        module = layer.module
        assert isinstance(module, nn.Linear)
        self._require_no_current(layer)
        if self.source == PIXELS:
            refuse(layer, "reads pixels; begin with a Conv2d and a Leaky")
        seen = self._seen()
        if not self.flat:
            refuse(layer, f"reads a map of {_extent(seen)}; put an nn.Flatten() before it")
        if module.in_features != seen.size:
            refuse(
                layer, f"takes {module.in_features} features and gets {_extent(seen)}; {self._other_data()}"
            )
        weight, bias = _values(module)
        return spread(weight.reshape(-1, *seen), self.poolings, self.shape), bias

    def _score(self, layer: Layer) -> None:
        weight, bias = self._linear(layer)
        if len(weight) != len(self.data.labels):
            refuse(layer, f"gives {len(weight)} outputs, but the data have {len(self.data.labels)} classes")
        # Weights that are the same at every place read what is counted over all of them.
        counts = bool((weight == weight[:, :, :1, :1]).all())
        features = weight[:, :, 0, 0] if counts else weight.reshape(len(weight), -1)
        self.head = features, bias
        self.nodes.append(Head(HEAD, self.source, len(weight), "count" if counts else "flatten"))
        self.became.append((str(layer), f"{HEAD}: reads {'counts' if counts else 'every neuron'}"))

    def _behind_the_head(self, layer: Layer) -> None:
        assert self.head is not None
        if isinstance(layer.module, nn.BatchNorm1d):
            weight, bias = self.head
            folded = normalized(Current(weight[:, :, np.newaxis, np.newaxis], bias), layer.module)
            self.head = folded.weight[:, :, 0, 0], folded.bias
            self.became.append((str(layer), f"folded into {HEAD}"))
        elif isinstance(layer.module, snntorch.Leaky):
            self.became.append((str(layer), "left out"))
            self.notes.append(
                f"{layer}: the scores here are the currents into these neurons, summed over time, not their spikes"
            )
        elif isinstance(layer.module, nn.Dropout | nn.Identity):
            self.became.append((str(layer), "nothing"))
        else:
            refuse(layer, "comes behind the last Linear, which gives the scores; leave it out")

    def _norm(self, layer: Layer) -> str:
        norm, current = layer.module, self.current
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        if current is None:
            refuse(layer, "normalizes spikes; put it between the convolution and the Leaky")
        if norm.num_features != len(current.bias):
            refuse(layer, f"has {norm.num_features} features, but gets {len(current.bias)} channels")
        self.current = normalized(current, norm)
        return f"folded into layer {self.driver.place}" if self.driver else "folded"

    def _max_pooling(self, layer: Layer) -> str:
        if self.current is not None:
            refuse(
                layer,
                "takes maxima of currents; put it behind the Leaky, where it takes maxima of spikes, and train again",
            )
        if self.source == PIXELS:
            refuse(layer, "pools pixels; give a smaller --size instead")
        if self.poolings or self.flat:
            refuse(layer, "comes behind averages or a Flatten; put it before")
        shape = Shape(self.shape.channels, self.shape.height // 2, self.shape.width // 2)
        name = f"pool{sum(isinstance(node, OrPool) for node in self.nodes) + 1}"
        self.nodes.append(OrPool(name, shape, self.source))
        self.source, self.shape = name, shape
        return f"{name}: OR pooling"

    def _average(self, layer: Layer) -> str:
        if self.flat:
            refuse(layer, "comes behind a Flatten; put it before")
        if self.current is None:
            self.poolings.append(layer.module)
            seen = self._seen(layer)
            return f"folded into what reads it, {_extent(seen)}"
        folded = pooled(self.current, layer.module, self.shape, before=False)
        if folded is None:
            refuse(
                layer,
                "averages currents in a way that no 3x3 convolution does; use AvgPool2d(2) behind a 1x1 convolution, "
                "a convolution with stride 2, or MaxPool2d(2) behind the Leaky",
            )
        self.current = folded
        return f"folded into layer {self.driver.place}" if self.driver else "folded"

    def _flatten(self, layer: Layer) -> str:
        self._require_no_current(layer)
        self.flat = True
        return "nothing: the layer that reads the map does it"

    def _nothing(self, layer: Layer) -> str:
        return "nothing"

    def _neuron(self, layer: Layer) -> str:
        neuron = layer.module
        assert isinstance(neuron, snntorch.Leaky)
        if self.current is None:
            refuse(layer, "has no convolution or linear layer that drives it; put one before it")
        threshold = float64(torch.as_tensor(neuron.threshold)).reshape(-1)
        if len(threshold) not in (1, len(self.current.bias)):
            refuse(layer, f"has {len(threshold)} thresholds, but {len(self.current.bias)} channels")
        beta = float(float64(torch.as_tensor(neuron.beta)).flat[0].clip(0, 1))
        leak = nearest_leak(beta)
        if abs(leak.kept - beta) > CLOSE:
            self.notes.append(
                f"{layer}: keeps beta = {beta:.6g} of a potential; the nearest that shifts can do is {in_words(leak)}"
            )
        subtracts = int(neuron.reset_mechanism_val) == 0
        if subtracts:
            (self.late if neuron.reset_delay else self.twice).append(layer.place)
        name = f"lif{len(self.currents) + 1}"
        stride, kernel = self.current.stride, self.current.kernel
        edge: Edge = (PixelConv if self.source == PIXELS else SpikeConv)(self.source, kernel, stride)
        shape = Shape(len(self.current.bias), *conv_output(self.shape, kernel, stride))
        self.currents[name] = self.current.scaled(np.broadcast_to(1 / threshold, len(self.current.bias)))
        self.nodes.append(Lif(name, shape, (edge,), leak, "subtract" if subtracts else "zero"))
        self.source, self.shape, self.current, self.driver = name, shape, None, None
        return f"{name}: {_extent(shape)} neurons that keep {in_words(leak)}"

    def _seen(self, layer: Layer | None = None) -> Shape:
        """The shape behind the poolings; ``layer`` is the one to name if they do not fit the map."""
        try:
            return Shape(*applied(self.poolings, torch.zeros((1, *self.shape))).shape[1:])
        except RuntimeError as error:
            refuse(
                layer or Layer("?", self.poolings[-1]),
                f"does not fit a map of {_extent(self.shape)}: {error}",
            )

    def _require_no_current(self, layer: Layer) -> None:
        if self.current is not None:
            refuse(
                layer,
                f"follows {self.driver} with no Leaky between them; put one there, or make them one layer",
            )

    def _other_data(self) -> str:
        return "give the size and channels that the model was trained on (--size, --channels)"


def refuse(layer: Layer, why: str) -> NoReturn:
    """Raise ``InputError`` about one layer."""
    raise InputError(f"the model cannot be carried over: {layer} {why}")


def _values(module: nn.Conv2d | nn.Linear) -> tuple[Floats, Floats]:
    """Weight and bias, which may not be there."""
    weight, bias = float64(module.weight), getattr(module, "bias", None)
    return weight, np.zeros(len(weight)) if bias is None else float64(bias)


def _extent(shape: Shape) -> str:
    return "x".join(map(str, shape))
