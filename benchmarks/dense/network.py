"""A dense network of 8-bit integers, and the numpy interpreter that says what it computes.

Activations are uint8, q stands for q * scale, and zero is 0: rectified values need no sign, and neither padding nor
kernels then add an offset (int8 with a zero point of -128 has the same 256 values). Weights are int8 with a scale for
each output channel. Of a layer

    a = bias + sum(w * x) over convolutions + factor * x over skips + factor * (sum of a 3x3 window) over pools
    y = min(255, max(0, (a * multiplier + 2^31) >> 32))

and the shift is the floor: one rounding, that of Arm's SMMULR, where TensorFlow Lite rounds twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Shape
from toolchain.graph.reference import convolve, or_pool, window_count

Ints = NDArray[np.int64]
Images = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Convolution:
    """``weight`` int8 [out, in, kernel, kernel]; zero padding is kernel // 2 on every side."""

    source: str
    stride: int
    weight: NDArray[np.int8]

    @property
    def kernel(self) -> int:
        """Side of the window."""
        return int(self.weight.shape[2])


@dataclass(frozen=True, eq=False)
class Addend:
    """Another map that is added: ``window`` 1 is a skip, 3 a 3x3 average; ``factor`` int32 [channels]."""

    source: str
    window: int
    factor: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Layer:
    """``bias`` and ``multiplier`` int32 [channels]; ``scale``: what one unit of its activations stands for."""

    name: str
    shape: Shape
    convolutions: tuple[Convolution, ...]
    addends: tuple[Addend, ...]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    scale: float

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the maps that it reads."""
        return tuple(edge.source for edge in (*self.convolutions, *self.addends))


@dataclass(frozen=True)
class MaxPool:
    """Largest of 2x2, stride 2; an odd last row or column is dropped."""

    name: str
    shape: Shape
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the maps that it reads."""
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Linear:
    """The read-out: of sums over space (``count``) or of every value, in the order channel, row, column (``flatten``).

    ``weight`` int8 [classes, features], ``bias`` int32 [classes]; scores are int32.
    """

    name: str
    source: str
    features: str
    weight: NDArray[np.int8]
    bias: NDArray[np.int32]

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the maps that it reads."""
        return (self.source,)


@dataclass(frozen=True, eq=False)
class DenseNetwork:
    """Layers in the order in which they run; ``pixels`` is the shape of the input, whose name is ``input``."""

    input: str
    pixels: Shape
    layers: tuple[Layer | MaxPool, ...]
    head: Linear

    def shape(self, name: str) -> Shape:
        """Shape of the map called ``name``."""
        return self.pixels if name == self.input else next(x.shape for x in self.layers if x.name == name)

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates of each layer that convolves, and of the head; padding counts like any other input."""
        found = {
            layer.name: sum(edge.weight[0].size for edge in layer.convolutions) * layer.shape.size
            for layer in self.layers
            if isinstance(layer, Layer)
        }
        return found | {self.head.name: self.head.weight.size}


def activations(network: DenseNetwork, images: Images) -> dict[str, Ints]:
    """Every map of ``images`` uint8 [n, C, H, W] as int64 [n, C, H, W]."""
    maps: dict[str, Ints] = {network.input: images.astype(np.int64)}
    for layer in network.layers:
        if isinstance(layer, MaxPool):
            maps[layer.name] = or_pool(maps[layer.source])
            continue
        total = _column(layer.bias)
        for edge in layer.convolutions:
            total = total + convolve(maps[edge.source], edge.weight.astype(np.int64), edge.stride)
        for addend in layer.addends:
            source = maps[addend.source]
            total = total + _column(addend.factor) * (window_count(source) if addend.window == 3 else source)
        maps[layer.name] = np.clip((total * _column(layer.multiplier) + (1 << 31)) >> 32, 0, 255)
    return maps


def scores(network: DenseNetwork, images: Images, batch: int = 64) -> NDArray[np.int32]:
    """Scores int32 [n, classes] of ``images`` uint8 [n, C, H, W]."""
    head, parts = network.head, []
    for start in range(0, len(images), batch):
        last = activations(network, images[start : start + batch])[head.source]
        features = last.sum((2, 3)) if head.features == "count" else last.reshape(len(last), -1)
        parts.append((features @ head.weight.astype(np.int64).T + head.bias).astype(np.int32))
    return np.concatenate(parts) if parts else np.zeros((0, len(head.bias)), np.int32)


def _column(values: NDArray[np.int32]) -> Ints:
    return values.astype(np.int64).reshape(1, -1, 1, 1)
