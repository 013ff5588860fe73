"""What the cost of a node that fires depends on, of one network or of many at once."""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from toolchain.cost.amounts import Amount, Map, ceiling, indicator, larger, smaller
from toolchain.cost.kernels import event_words
from toolchain.graph.nodes import Leak


class Dynamics(NamedTuple):
    """How neurons run. ``leaks``, ``subtracts`` and ``zeroes`` are 0 or 1.

    ``leaks``: the potential decays; ``subtracts``: by u - floor(u / 2**k), else it is that floor; ``zeroes``: a
    spike leaves the potential at 0; ``characters``: those of the leak's form, its shift and the reset, which
    files state.
    """

    time_steps: Amount
    leaks: Amount
    subtracts: Amount
    zeroes: Amount
    characters: Amount


class Neurons(NamedTuple):
    """A node that fires: the length of its ``name``, the map of its neurons, and how they run."""

    name: Amount
    shape: Map
    dynamics: Dynamics


class Convolutions(NamedTuple):
    """Convolutions of one shape: how many, the positions of their kernel, and the channels that they read.

    Of all their windows, so many ``rows`` and positions, ``inside``, lie within the map that they read.
    """

    number: Amount
    area: int
    channels: Amount
    rows: Amount = 0
    inside: Amount = 0


class FanIn(NamedTuple):
    """The edges into a node.

    ``pools`` of the ``edges`` pool, ``convolutions`` are convolutions and the others skips; ``elements``: those
    of the maps that they read; ``names``: the lengths of these maps' names, added up, of which ``longest`` is
    the longest; ``padded``: how many of the maps are padded before they are convolved with stride 2; ``frames``: of
    pixels, 1 if they are the same in every time step; ``bits``: those in which a weight is stored, 8 where there is
    none.
    """

    edges: Amount
    pools: Amount
    convolutions: tuple[Convolutions, ...]
    elements: Amount
    names: Amount
    longest: Amount
    padded: Amount = 0
    frames: int = 1
    bits: Amount = 8

    @property
    def convolved(self) -> Amount:
        """How many edges are convolutions."""
        return sum(each.number for each in self.convolutions)

    @property
    def skips(self) -> Amount:
        """How many edges are skips."""
        return self.edges - self.pools - self.convolved

    @property
    def currents(self) -> Amount:
        """1 if a skip or a pool is among the edges, else 0."""
        return indicator(self.edges > self.convolved)

    @property
    def taps(self) -> Amount:
        """Weights for one output channel."""
        return sum(each.number * each.area * each.channels for each in self.convolutions)

    @property
    def words(self) -> Amount:
        """Words of spikes that the firmware's convolutions look at."""
        return sum(each.number * event_words(isqrt(each.area), each.channels) for each in self.convolutions)


def dynamics(time_steps: int, leak: Leak, reset: str) -> Dynamics:
    """Those of one network."""
    return Dynamics(
        time_steps,
        int(leak.form != "none"),
        int(leak.form == "subtract"),
        int(reset == "zero"),
        len(f"{leak.form}{leak.shift}{reset}"),
    )


def convolutions(number: Amount, kernel: int, source: Map, shape: Map, stride: Amount = 1) -> Convolutions:
    """``number`` convolutions of ``source`` that give ``shape``, each position of which is a window."""
    return Convolutions(number, kernel**2, source.channels, *inside(source, shape, kernel, stride))


def inside(source: Map, shape: Map, kernel: int, stride: Amount = 1) -> tuple[Amount, Amount]:
    """Rows and positions of the windows of ``shape`` that lie within ``source``, all windows together."""
    rows = _covered(source.height, shape.height, kernel, stride)
    return rows * shape.width, rows * _covered(source.width, shape.width, kernel, stride)


def _covered(size: Amount, windows: Amount, kernel: int, stride: Amount) -> Amount:
    """Positions within a side of ``size`` that ``windows`` cover which begin at -(kernel // 2) and go on by stride."""
    covered: Amount = 0
    for position in range(kernel):
        ahead: Amount = kernel // 2 - position
        # The first window whose position is not before the side, and the first whose position is behind it.
        first, end = (larger(0, ceiling(edge, stride)) for edge in (ahead, size + ahead))
        covered += smaller(windows, end) - smaller(windows, first)
    return covered


def padded(source: Map, shape: Map) -> Amount:
    """1 if files pad ``source`` for a 3x3 convolution that gives ``shape``: that strides over an even side, else 0."""
    strides = (shape.height != source.height) | (shape.width != source.width)
    return indicator(strides & ((source.height % 2 == 0) | (source.width % 2 == 0)))
