"""The node and edge types of an integer spiking network.

A network is a list of nodes. Spikes are 0 or 1, pixels are uint8, weights are int8, and every scale is
a power of two: a node's currents, biases and thresholds have one exponent ``e`` per output channel
(value = q / 2**e). Array fields are ``None`` in a network that has a shape but no weights yet; the
cost model needs no more than that.

Arrays are never changed in place: a node with other weights is another node (``dataclasses.replace``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MIN_EXPONENT, MAX_EXPONENT = 3, 12
"""Bounds of a channel's exponent: a pool edge adds count * 2**(e - 3), so e >= 3; a skip adds 2**e to an int16."""

MAX_ROUNDING = 16
"""Most bits that a pixel edge may round away; 2**(r - 1) then still fits the accumulator's 24 bits with room."""

MAX_SHIFT = 30
"""Units of a regression's numbers are 2**-30 to 2**30."""


class Shape(NamedTuple):
    """Extent of a map of pixels or spikes in one time step."""

    channels: int
    height: int
    width: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class Leak:
    """How a membrane potential decays in one time step, before the current is added.

    - ``none``:     u <- u
    - ``subtract``: u <- u - (u >> shift)   (keeps 1 - 2**-shift of u)
    - ``shift``:    u <- u >> shift         (keeps 2**-shift of u)

    ``>>`` is the arithmetic shift, that is floor(u / 2**shift), for negative u too.
    """

    form: Literal["none", "subtract", "shift"] = "subtract"
    shift: int = 2

    def apply(self, potential: Array) -> Array:
        """Return the decayed integer potentials (same shape and dtype)."""
        if self.form == "none":
            return potential
        decayed = potential >> self.shift
        return potential - decayed if self.form == "subtract" else decayed

    @property
    def kept(self) -> float:
        """The share of the potential that one step keeps, without the floor."""
        return {"none": 1.0, "subtract": 1 - 2.0**-self.shift, "shift": 2.0**-self.shift}[self.form]


@dataclass(frozen=True, eq=False)
class PixelConv:
    """Convolution of uint8 pixels: current = floor((sum(w * pixel) + 2**(r - 1)) / 2**r), or the sum for r = 0.

    Zero padding is kernel // 2 on every side. ``weight``: int8 [out, in, kernel, kernel];
    ``rounding``: r, uint8 [out].
    """

    source: str
    kernel: int
    stride: int
    weight: Array | None = None
    rounding: Array | None = None


@dataclass(frozen=True, eq=False)
class SpikeConv:
    """Convolution of spikes: current = sum of the weights of the neurons that fired, in the node's exponent.

    Zero padding is kernel // 2 on every side. ``weight``: int8 [out, in, kernel, kernel].
    """

    source: str
    kernel: int
    stride: int
    weight: Array | None = None


@dataclass(frozen=True, eq=False)
class Skip:
    """Identity: current = spike * 2**e, that is 1.0 for each spike."""

    source: str


@dataclass(frozen=True, eq=False)
class Pool:
    """Average pooling 3x3, stride 1, zero padded: current = count * 2**(e - 3) for ``count`` spikes in the window.

    Nine neighbours are divided by eight; training sees the same, so nothing is lost by it.
    """

    source: str


Edge = PixelConv | SpikeConv | Skip | Pool


@dataclass(frozen=True)
class Input:
    """The preprocessed sample: uint8 pixels.

    ``frames`` is 1, the same pixels in every time step (direct encoding), or the number of time steps, one frame a
    step (event cameras). ``shape`` is that of one frame.
    """

    name: str
    shape: Shape
    frames: int = 1

    @property
    def extents(self) -> tuple[int, ...]:
        """Shape of a sample: (channels, height, width), or (frames, channels, height, width)."""
        return tuple(self.shape) if self.frames == 1 else (self.frames, *self.shape)

    @property
    def size(self) -> int:
        """Pixels of a sample, each a byte."""
        return self.frames * self.shape.size


@dataclass(frozen=True, eq=False)
class Lif:
    """A map of leaky integrate-and-fire neurons, fed by the sum of its edges.

        i = sum of edge currents + bias;  u <- leak(u) + i;  spike = u >= threshold
        reset ``subtract``: u <- u - threshold * spike;  reset ``zero``: u <- 0 where it fired

    The reset is immediate, in the same time step. ``bias``: int16 [channels]; ``threshold``: int16
    [channels], at least 1; ``exponent``: e, uint8 [channels]; u starts at 0 for every image.

    ``bits`` (8, 4 or 2) are what each weight of its spike convolutions takes where it is stored, and ``code_shift``,
    uint8 [channels], what turns the stored codes into weights (``toolchain.graph.codes``); None for 8 bits.
    """

    name: str
    shape: Shape
    edges: tuple[Edge, ...]
    leak: Leak = Leak()
    reset: Literal["subtract", "zero"] = "subtract"
    bias: Array | None = None
    threshold: Array | None = None
    exponent: Array | None = None
    bits: int = 8
    code_shift: Array | None = None


@dataclass(frozen=True)
class OrPool:
    """Max pooling of spikes, 2x2, stride 2: fires if any of the four fired; an odd last row or column is dropped."""

    name: str
    shape: Shape
    source: str


@dataclass(frozen=True, eq=False)
class Head:
    """Linear read-out of spike counts: score = sum(w * count) + bias; value = score / 2**exponent for all classes.

    Of numbers (a regression) there is one output a number, and its value is score * 2**(shift - exponent) in the
    number's own unit, with its own one of ``shifts``; for classes there are none.
    ``features`` = ``count``: spikes are counted over space and time, one feature a channel;
    ``flatten``: over time only, one feature a neuron, in channel, row, column order.
    ``weight``: int8 [classes, features]; ``bias``: int32 [classes]; ``bits`` and ``code_shift``, uint8 [classes], as
    for ``Lif``.
    """

    name: str
    source: str
    classes: int
    features: Literal["count", "flatten"] = "count"
    weight: Array | None = None
    bias: Array | None = None
    exponent: int | None = None
    shifts: tuple[int, ...] = ()
    bits: int = 8
    code_shift: Array | None = None


Node = Input | Lif | OrPool | Head


def conv_output(source: Shape, kernel: int, stride: int) -> tuple[int, int]:
    """Height and width after a convolution that is zero padded by kernel // 2 on every side."""
    padding = kernel // 2
    return (
        (source.height + 2 * padding - kernel) // stride + 1,
        (source.width + 2 * padding - kernel) // stride + 1,
    )


def as_int(array: Array | None, what: str) -> NDArray[np.int64]:
    """Return ``array`` as int64; raises ``ValueError`` if the network has no weights yet."""
    if array is None:
        raise ValueError(f"{what} is not set: the network has no weights yet")
    return array.astype(np.int64)
