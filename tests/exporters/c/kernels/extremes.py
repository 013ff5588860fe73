"""Weights, biases and thresholds as large as ``toolchain.graph.bounds`` permits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.bounds import EXACT_FLOAT32, INT16_MAX, INT16_MIN, LifBounds, lif_bounds, score_bounds
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import MAX_ROUNDING, MIN_EXPONENT, Edge, Head, Lif, PixelConv, SpikeConv

Rng = np.random.Generator
Integers = NDArray[np.int64]


def _uniform(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.integers(-128, 128, shape).astype(np.int8)


def _small(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.integers(-3, 4, shape).astype(np.int8)


def _ends(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.choice(np.array([-128, 127], np.int8), shape)


def _lowest(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.full(shape, -128, np.int8)


def _highest(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.full(shape, 127, np.int8)


def _by_input(rng: Rng, shape: tuple[int, ...]) -> Any:
    """All weights of an input are the same end, so that there are spikes that drive a neuron to its bound."""
    ends = rng.choice(np.array([-128, 127], np.int8), (*shape[:2], *[1] * (len(shape) - 2)))
    return np.ascontiguousarray(np.broadcast_to(ends, shape))


WEIGHTS: tuple[Callable[[Rng, tuple[int, ...]], Any], ...] = (
    _uniform,
    _small,
    _ends,
    _lowest,
    _highest,
    _by_input,
)
"""Ways to draw int8 weights."""


def drawn_weights(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Weights int8 of ``shape`` [out, in, ...], drawn in one of several ways."""
    return WEIGHTS[int(rng.integers(0, len(WEIGHTS)))](rng, shape)


def at_bounds(rng: Rng, node: Lif, time_steps: int) -> Lif:
    """``node`` with biases of which most are the least or the largest that are proven to fit, likewise thresholds.

    Where no bias fits, weights are taken away until one does.
    """
    while True:
        least, largest = _biases(node, time_steps)
        if (least <= largest).all():
            break
        node = _thinned(rng, node, least > largest)
    any_bias = rng.integers(least, largest + 1)
    near_zero = np.clip(rng.integers(-50, 51, len(least)), least, largest)
    bias = np.choose(rng.integers(0, 4, len(least)), [least, largest, any_bias, near_zero])
    node = replace(node, bias=bias.astype(np.int16))
    return _with_high_thresholds(rng, node, time_steps)


def head_at_bounds(rng: Rng, graph: Graph) -> Head:
    """The head of ``graph`` with biases of which some are the least or the largest that a score may have."""
    room = EXACT_FLOAT32 - 1 - score_bounds(graph)
    bias = rng.choice([-1, 0, 1], len(room)) * room
    return replace(graph.head, bias=bias.astype(np.int32))


def _biases(node: Lif, time_steps: int) -> tuple[Integers, Integers]:
    """The least and the largest bias of each channel that fit; where none does, the least is above the largest."""
    alone = lif_bounds(replace(node, bias=np.zeros_like(node.bias)), 1)
    # A convolution from one input that always drives up, and one that always drives down: quick to bound.
    drives = np.stack([alone.current_high, alone.current_low], axis=1).reshape(-1, 2, 1, 1)
    drives = np.where(np.abs(drives) > 1 << 17, np.sign(drives) * (1 << 17), drives)
    small = replace(node, edges=(SpikeConv("", 1, 1, drives),))

    def bounds(bias: Integers) -> LifBounds:
        return lif_bounds(replace(small, bias=bias), time_steps)

    def low_fits(bias: Integers) -> NDArray[np.bool_]:
        found = bounds(bias)
        return np.minimum(found.current_low, found.potential_low) >= INT16_MIN

    def high_fits(bias: Integers) -> NDArray[np.bool_]:
        found = bounds(bias)
        return np.maximum(found.current_high, found.potential_high) <= INT16_MAX

    channels = len(drives)
    least = -_largest(lambda negated: low_fits(-negated), channels, -INT16_MAX, -INT16_MIN)
    return least, _largest(high_fits, channels, INT16_MIN, INT16_MAX)


def _largest(fits: Callable[[Integers], NDArray[np.bool_]], channels: int, low: int, high: int) -> Integers:
    """The largest number from ``low`` to ``high`` that fits, or ``low - 1`` if none does, by bisection."""
    least, most = np.full(channels, low - 1), np.full(channels, high)
    while (least < most).any():
        middle = (least + most + 1) // 2
        good = fits(middle)
        least, most = np.where(good, middle, least), np.where(good, most, middle - 1)
    return least


def _thinned(rng: Rng, node: Lif, broken: NDArray[np.bool_]) -> Lif:
    """``node`` with a quarter of the weights of its ``broken`` channels, and half of its other drives, taken away."""
    edges: list[Edge] = []
    for edge in node.edges:
        if isinstance(edge, PixelConv) and edge.rounding is not None:
            rounding = np.minimum(edge.rounding + broken, MAX_ROUNDING).astype(np.uint8)
            edge = replace(edge, rounding=rounding)
        elif isinstance(edge, SpikeConv) and edge.weight is not None:
            by_channel = broken.reshape(-1, 1, 1, 1)
            dropped = by_channel & (rng.random(edge.weight.shape) < 0.25)
            edge = replace(edge, weight=np.where(dropped, 0, edge.weight).astype(np.int8))
        edges.append(edge)
    assert node.exponent is not None and node.threshold is not None
    exponent = np.maximum(node.exponent - broken.astype(np.uint8), MIN_EXPONENT).astype(np.uint8)
    threshold = np.where(broken, np.maximum(node.threshold // 2, 1), node.threshold).astype(np.int16)
    return replace(node, edges=tuple(edges), exponent=exponent, threshold=threshold)


def _with_high_thresholds(rng: Rng, node: Lif, time_steps: int) -> Lif:
    """``node`` with the thresholds of some channels as high as the least potential permits."""
    assert node.threshold is not None
    found = lif_bounds(node, time_steps)
    highest = np.minimum(found.potential_low + node.threshold - INT16_MIN, INT16_MAX)
    wanted = rng.random(len(highest)) < 0.2
    high = replace(node, threshold=np.where(wanted, np.maximum(highest, 1), node.threshold).astype(np.int16))
    fits = lif_bounds(high, time_steps).fits
    return replace(node, threshold=np.where(fits, high.threshold, node.threshold).astype(np.int16))  # type: ignore[arg-type]
