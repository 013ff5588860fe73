"""Worst cases of the integer arithmetic: the proof that nothing saturates, because nothing can.

For each output channel the integer recurrence is run with constant worst-case drive: all positive
weights, skips and pools on for the upper bound, all negative weights on for the lower. The leak and the
addition are monotone in the potential, and the reset is bounded over the whole interval, so the
recurrence bounds every input there is. A closed form would be exceeded by a few units, because of the floor.

Each bound of the potential only ever grows, or only ever shrinks, from step to step; once it stays where it is, it
stays there for ever. That bounds a stream, which has no last time step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, PixelConv, Pool, Skip, SpikeConv, as_int

INT16_MIN, INT16_MAX = -32768, 32767
EXACT_FLOAT32 = 1 << 24
"""Integers of smaller magnitude are exact in float32, and so are their sums in any order."""

Bounds = NDArray[np.int64]


@dataclass(frozen=True)
class LifBounds:
    """Per-channel extremes of one ``Lif`` node, all int64 [channels], in units of 2**-e.

    ``accumulator`` is the largest magnitude of a sum before rounding; ``current_low``/``current_high``
    bound i, and i without the bias, which the kernels add last; ``potential_low``/``potential_high`` bound u
    after the current is added and before the reset; ``potential_low`` also covers u - threshold.
    """

    accumulator: Bounds
    current_low: Bounds
    current_high: Bounds
    potential_low: Bounds
    potential_high: Bounds

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether a channel stays within int16 for potentials and currents and 2**24 for accumulators."""
        fits: NDArray[np.bool_] = (
            (self.accumulator < EXACT_FLOAT32)
            & (np.minimum(self.current_low, self.potential_low) >= INT16_MIN)
            & (np.maximum(self.current_high, self.potential_high) <= INT16_MAX)
        )
        return fits


def round_half_up(accumulator: Bounds, rounding: Bounds) -> Bounds:
    """floor((a + 2**(r - 1)) / 2**r), or a where r = 0."""
    half = np.where(rounding > 0, 1 << np.maximum(rounding - 1, 0), 0)
    rounded: Bounds = (accumulator + half) >> rounding
    return rounded


def lif_bounds(node: Lif, time_steps: int) -> LifBounds:
    """Run the worst-case recurrence of every channel of ``node`` over ``time_steps``."""
    bias = as_int(node.bias, f"{node.name}.bias")
    accumulator, low, high = _currents(node)
    potential_low, potential_high = _potential_bounds(node, low, high, time_steps)
    return LifBounds(
        accumulator, np.minimum(low, low - bias), np.maximum(high, high - bias), potential_low, potential_high
    )


def _currents(node: Lif) -> tuple[Bounds, Bounds, Bounds]:
    """The largest magnitude of a sum before rounding, and the least and the largest i, of every channel."""
    exponent = as_int(node.exponent, f"{node.name}.exponent")
    high = as_int(node.bias, f"{node.name}.bias")
    low = high.copy()
    accumulator = np.zeros_like(high)
    for edge in node.edges:
        if isinstance(edge, Skip):
            high = high + (1 << exponent)
        elif isinstance(edge, Pool):
            high = high + 9 * (1 << (exponent - 3))
        else:
            weight = as_int(edge.weight, f"{node.name}.weight").reshape(len(exponent), -1)
            positive, negative = np.maximum(weight, 0).sum(1), np.minimum(weight, 0).sum(1)
            if isinstance(edge, PixelConv):
                rounding = as_int(edge.rounding, f"{node.name}.rounding")
                half = np.where(rounding > 0, 1 << np.maximum(rounding - 1, 0), 0)
                accumulator = np.maximum(accumulator, 255 * np.maximum(positive, -negative) + half)
                positive = round_half_up(255 * positive, rounding)
                negative = round_half_up(255 * negative, rounding)
            elif isinstance(edge, SpikeConv):
                accumulator = np.maximum(accumulator, np.maximum(positive, -negative))
            high, low = high + positive, low + negative
    return accumulator, low, high


def steps_within_int16(node: Lif, most: int) -> int:
    """Time steps from the first on in which no potential of ``node`` can leave int16; ``most`` if it never can."""
    _, lowest, highest = _currents(node)
    threshold = as_int(node.threshold, f"{node.name}.threshold")
    before: tuple[Bounds, Bounds] | None = None
    for step, (low, high) in enumerate(islice(_worst_potentials(node, lowest, highest), most)):
        if (low - threshold < INT16_MIN).any() or (high > INT16_MAX).any():
            return step
        if before is not None and np.array_equal(before, (low, high)):
            return most
        before = low, high
    return most


def score_bounds(graph: Graph) -> Bounds:
    """Largest magnitude of each class's score, int64 [classes]: sum(|w|) * most spikes of a feature + |bias|."""
    head = graph.head
    weight = as_int(head.weight, f"{head.name}.weight")
    largest: Bounds = np.abs(weight).sum(1) * max_count(graph) + np.abs(
        as_int(head.bias, f"{head.name}.bias")
    )
    return largest


def max_count(graph: Graph) -> int:
    """Most spikes that one feature of the head can count."""
    shape = graph.source_shape(graph.head.source)
    positions = shape.height * shape.width if graph.head.features == "count" else 1
    return graph.time_steps * positions


def _potential_bounds(node: Lif, low: Bounds, high: Bounds, time_steps: int) -> tuple[Bounds, Bounds]:
    lowest, highest = np.minimum(low, 0), np.maximum(high, 0)
    for before_low, before_high in islice(_worst_potentials(node, low, high), time_steps):
        lowest, highest = np.minimum(lowest, before_low), np.maximum(highest, before_high)
    return lowest - as_int(node.threshold, f"{node.name}.threshold"), highest


def _worst_potentials(node: Lif, low: Bounds, high: Bounds) -> Iterator[tuple[Bounds, Bounds]]:
    """Yield the least and the largest potential of one time step after the other, before the reset, without end."""
    threshold = as_int(node.threshold, f"{node.name}.threshold")
    after_low, after_high = np.zeros_like(low), np.zeros_like(high)
    while True:
        before_low, before_high = node.leak.apply(after_low) + low, node.leak.apply(after_high) + high
        yield before_low, before_high
        # A neuron just under its threshold keeps its potential, so that is the least upper bound after a reset.
        after_high = np.minimum(before_high, threshold - 1)
        if node.reset == "subtract":
            after_high = np.maximum(after_high, before_high - threshold)
        after_low = np.minimum(before_low, 0)
