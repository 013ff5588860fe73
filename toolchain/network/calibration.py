"""From a trained float network to integer scales: folded weights, exponents, and what the bounds cost.

For each output channel the exponent e is the largest at which its weights fit int8, at least 6 where the
bounds allow it, because a threshold of 2**e under 64 lets the floored leak bend the firing rate; then it
is lowered until the worst case of ``graph.bounds`` stays within int16.

Weights of 4 and 2 bits are codes on a grid (``toolchain.network.grids``), times 2**shift. The exponent is the largest
at which they fit int8, or the largest there is; to lower it lowers the shift, and changes codes only when that has
reached 0. Where no skip or pool adds 2**e, a channel's values may have a gain besides: weights, bias and threshold are
multiplied by it, which changes nothing but the grid that weights are rounded to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.graph.bounds import INT16_MAX, INT16_MIN, lif_bounds
from toolchain.graph.codes import MAX_CODE
from toolchain.graph.nodes import (
    MAX_EXPONENT,
    MAX_ROUNDING,
    MIN_EXPONENT,
    Edge,
    Lif,
    PixelConv,
    SpikeConv,
)
from toolchain.network.grids import MAX_SHIFT, Grid, choose_grid

WEIGHT_MAX = 127
"""Weights are kept symmetric: -127 to 127."""

GOOD_EXPONENT = 6
"""Thresholds of at least 2**6 = 64 fire within 8 % of the rate without the floor (measured)."""

Floats = NDArray[np.float64]
Exponents = NDArray[np.int64]


@dataclass(frozen=True)
class FloatNode:
    """Folded values of one ``Lif``: ``weights`` per convolution edge (index -> [out, in, k, k]) and ``bias`` [out]."""

    weights: dict[int, Floats]
    bias: Floats


@dataclass(frozen=True)
class Scales:
    """Exponents of one ``Lif``: ``exponent`` [out] of its currents, ``pixel_exponent`` [out] of pixel weights or None.

    ``lost`` [out] counts the exponent steps that a channel gave up to stay within int16. ``grid``: of weights of fewer
    than 8 bits.
    """

    exponent: Exponents
    pixel_exponent: Exponents | None
    lost: Exponents
    grid: Grid | None = None


def largest_exponent(weight: Floats) -> Exponents:
    """Largest e per output channel with max|w| * 2**e <= 127.5; a channel of zeros counts as max|w| = 2**-23."""
    peak = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2((WEIGHT_MAX + 0.5) / np.where(peak > 0, peak, 2.0**-23)))
    return exponent.astype(np.int64)


def choose_scales(node: Lif, values: FloatNode, time_steps: int, before: Scales | None = None) -> Scales:
    """Choose the exponents of ``node`` for its folded ``values``; the result keeps to every bound.

    ``before``: those that the network was trained on so far, which must not grow again, and whose grid stays.
    Raises ``InputError`` if a channel leaves int16 even at the smallest exponent.
    """
    pixel = isinstance(node.edges[0], PixelConv)
    wish, grid = _wish(node, values, pixel) if before is None else (before.exponent, before.grid)
    exponent = wish.copy()
    while True:
        pixel_exponent = _pixel_exponent(values, exponent) if pixel else None
        # While there is a shift of codes to give up, a smaller exponent changes none of them.
        lost = wish - exponent if grid is None else np.maximum(np.minimum(wish, grid.exponent) - exponent, 0)
        scales = Scales(exponent, pixel_exponent, lost, grid)
        broken = ~lif_bounds(quantize(node, values, scales), time_steps).fits
        if not broken.any():
            return scales
        if (exponent[broken] <= MIN_EXPONENT).any():
            raise InputError(
                f"{node.name}: trained currents are too large for int16 in {int(broken.sum())} channels even at the "
                f"smallest exponent; train again with another --seed or a smaller network"
            )
        exponent = np.where(broken, exponent - 1, exponent)


def _wish(node: Lif, values: FloatNode, pixel: bool) -> tuple[Exponents, Grid | None]:
    """The exponents that one would take if there were no bounds, and the grid."""
    wish = np.full(node.shape.channels, MAX_EXPONENT, np.int64)
    if node.bits != 8:
        free = all(isinstance(edge, SpikeConv) for edge in node.edges)
        grid = choose_grid(list(values.weights.values()), node.bits, free)
        # A gain under 1 takes from the threshold, too.
        good = GOOD_EXPONENT + (grid.gain < 1)
        wish = np.clip(grid.exponent + MAX_SHIFT[node.bits], good, MAX_EXPONENT)
        return wish, grid._replace(exponent=np.clip(grid.exponent, wish - MAX_SHIFT[node.bits], wish))
    for weight in () if pixel else values.weights.values():
        wish = np.minimum(wish, np.maximum(largest_exponent(weight), GOOD_EXPONENT))
    return wish, None


def quantize(node: Lif, values: FloatNode, scales: Scales) -> Lif:
    """Return ``node`` with integer weights, bias, thresholds and exponents; thresholds are 2**e, times the gain."""
    exponent, grid, shift = scales.exponent, scales.grid, None
    gain = np.ones(len(exponent), np.float32)
    if grid is not None:
        gain, shift = grid.gain, np.maximum(exponent - grid.exponent, 0).astype(np.uint8)
    edges: list[Edge] = []
    for index, edge in enumerate(node.edges):
        if isinstance(edge, PixelConv):
            assert scales.pixel_exponent is not None
            weight = to_int8(values.weights[index], scales.pixel_exponent)
            rounding = (scales.pixel_exponent + 8 - exponent).astype(np.uint8)
            edge = replace(edge, weight=weight, rounding=rounding)
        elif isinstance(edge, SpikeConv):
            floats = values.weights[index]
            if shift is None:
                edge = replace(edge, weight=to_int8(floats, exponent))
            else:
                code = to_int8(scaled(floats, gain), exponent - shift, MAX_CODE[node.bits])
                edge = replace(edge, weight=code << shift.astype(np.int8).reshape(-1, 1, 1, 1))
        edges.append(edge)
    bias = np.rint(np.clip(scaled(values.bias, gain) * 2.0**exponent, INT16_MIN, INT16_MAX))
    return replace(
        node,
        edges=tuple(edges),
        bias=bias.astype(np.int16),
        threshold=np.rint(gain * 2.0**exponent).astype(np.int16),
        exponent=exponent.astype(np.uint8),
        code_shift=shift,
    )


def scaled(values: Floats, gain: NDArray[np.float32]) -> Floats:
    """``values`` [out, ...], which float32 holds, times ``gain`` [out]: rounded to float32 as torch rounds it."""
    product = values.astype(np.float32) * gain.reshape(-1, *[1] * (values.ndim - 1))
    return product.astype(np.float64)


def to_int8(weight: Floats, exponent: Exponents, limit: int = WEIGHT_MAX) -> NDArray[np.int8]:
    """w * 2**e clipped to -limit..limit and rounded, ties to even as torch.round does, per output channel."""
    value = weight * 2.0 ** exponent.reshape(-1, *[1] * (weight.ndim - 1))
    return np.rint(np.clip(value, -limit, limit)).astype(np.int8)


def _pixel_exponent(values: FloatNode, exponent: Exponents) -> Exponents:
    # r = pixel exponent + 8 - e must be 0 to 16: a pixel is q / 2**8.
    (weight,) = values.weights.values()
    return np.clip(largest_exponent(weight), np.maximum(exponent - 8, 0), exponent - 8 + MAX_ROUNDING)
