# mypy: allow-untyped-defs
"""Integrate and fire as compiled loops (numba): all time steps of a map at once, forward and backward.

A plane is one channel of one image, ``size`` = H * W neurons; maps are [T, planes, size] in C order, plane p
having channel p % C. Membrane potentials live in a buffer of one plane that stays in the first-level
cache. They are not kept for the backward pass: computing them again takes less time than reading them.

    i = gain * x + offset;   u <- a * left + b * floor(left * 2**-k) + i;   spike = u >= level
    left = u - threshold * spike,  or u * (1 - spike)

``a`` and ``b`` make a leak: (kept, 0) of floats, (1, -1) and (0, 1) of integers (``neuron.Dynamics``), in which
every operation is exact. ``level`` is the threshold, or the float above it where a neuron fires above it only.

Maps are float32, or bfloat16 seen as uint16: the upper half of a float32. What is computed is float32 in both.

Each inner loop is a function of its own over one-dimensional arrays, because LLVM turns only such loops into
vector instructions. All of it is in one file because numba's cache looks at the age of the file alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from toolchain.network.compiled import FREE_ORDER, compiled

_ZERO, _ONE = np.float32(0), np.float32(1)
_SLOPE = np.float32(np.pi**2)
"""snnTorch's arctangent surrogate with alpha = 2 has the derivative 1 / (1 + (pi * x)**2)."""

_WORD, _HALF, _FLOAT = ir.IntType(32), ir.IntType(16), ir.FloatType()


def _wide(typing: Any, value: Any) -> Any:
    """A map's element as float32."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if value == types.float32:
            return values[0]
        word = builder.shl(builder.zext(values[0], _WORD), ir.Constant(_WORD, 16))
        return builder.bitcast(word, _FLOAT)

    return types.float32(value), generate


def _narrow(typing: Any, value: Any, like: Any) -> Any:
    """A float32 as an element of the map that ``like`` is one of: rounded to nearest, of two to the even one."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if like == types.float32:
            return values[0]
        word, sixteen = builder.bitcast(values[0], _WORD), ir.Constant(_WORD, 16)
        odd = builder.and_(builder.lshr(word, sixteen), ir.Constant(_WORD, 1))
        rounded = builder.add(builder.add(word, odd), ir.Constant(_WORD, 0x7FFF))
        return builder.trunc(builder.lshr(rounded, sixteen), _HALF)

    return like(types.float32, like), generate


wide: Any = intrinsic(_wide)
narrow: Any = intrinsic(_narrow)


@compiled(fastmath=FREE_ORDER)
def _drive(u, x, gain, offset):
    """The first step's potentials: left of the step before is 0."""
    for i in range(len(u)):
        u[i] = wide(x[i]) * gain + offset


@compiled(fastmath=FREE_ORDER)
def _charge(u, before, x, gain, offset, level, threshold, to_zero, kept, floored, scale):
    """A step's potentials from those of the step before, before its reset; ``u`` may be ``before``."""
    if floored == 0:
        for i in range(len(u)):
            drop = before[i] if to_zero else threshold
            left = before[i] - (drop if before[i] >= level else _ZERO)
            u[i] = left * kept + (wide(x[i]) * gain + offset)
    else:
        for i in range(len(u)):
            drop = before[i] if to_zero else threshold
            left = before[i] - (drop if before[i] >= level else _ZERO)
            u[i] = left * kept + np.floor(left * scale) * floored + (wide(x[i]) * gain + offset)


@compiled(fastmath=FREE_ORDER)
def _fire(spikes, u, level):
    for i in range(len(u)):
        spikes[i] = narrow(_ONE if u[i] >= level else _ZERO, spikes[i])


@compiled(fastmath=FREE_ORDER)
def _adjoint(back, u, gradient, level, threshold, half, inverse, kept, to_zero, attached):
    """From the gradient of the step after, d loss / d u there in ``back``, to this step's."""
    for i in range(len(u)):
        of_left = back[i] * kept
        of_spike = wide(gradient[i]) - attached * of_left * (u[i] if to_zero else threshold)
        through = _ZERO if to_zero and u[i] >= level else _ONE
        argument = (u[i] - threshold + half) * inverse
        back[i] = of_left * through + of_spike * (inverse / (_ONE + _SLOPE * argument * argument))


@compiled(fastmath=FREE_ORDER)
def _store(out, back, x):
    """Write the gradient of a current; returns its sum and that of gradient * x."""
    total, product = _ZERO, _ZERO
    for i in range(len(back)):
        out[i] = narrow(back[i], out[i])
        total += back[i]
        product += back[i] * wide(x[i])
    return total, product


@compiled(fastmath=FREE_ORDER)
def _add(out, back, x):
    """``_store`` for a current that several steps share."""
    total, product = _ZERO, _ZERO
    for i in range(len(back)):
        out[i] = narrow(wide(out[i]) + back[i], out[i])
        total += back[i]
        product += back[i] * wide(x[i])
    return total, product


@compiled(fastmath=FREE_ORDER)
def forward(first, last, x, spikes, gain, offset, level, threshold, to_zero, leak):
    """Fill ``spikes`` [T, planes, size] of the planes ``first`` to ``last`` - 1.

    ``x``: [T, planes, size], or [1, planes, size] where every step has the same; the others are float32 [C], or
    of ``leak`` (a, b, 2**-k).
    """
    steps, _, size = spikes.shape
    kept, floored, scale = leak
    u = np.empty(size, np.float32)
    for plane in range(first, last):
        c = plane % len(gain)
        for t in range(steps):
            now = x[t if len(x) > 1 else 0, plane]
            if t == 0:
                _drive(u, now, gain[c], offset[c])
            else:
                _charge(u, u, now, gain[c], offset[c], level[c], threshold[c], to_zero, kept, floored, scale)
            _fire(spikes[t, plane], u, level[c])


@compiled(fastmath=FREE_ORDER)
def backward(
    first,
    last,
    x,
    out,
    gradient,
    sums,
    gain,
    offset,
    level,
    threshold,
    half,
    inverse,
    to_zero,
    leak,
    passed,
    attached,
):
    """Fill ``out``, d loss / d i like ``x``, and ``sums`` [planes, 2]: its sum, and the sum of it times x.

    ``gradient``: d loss / d spikes [T, planes, size]; ``half``: added to the surrogate's argument, of which
    ``inverse`` [C] is the scale; ``passed``: the share of a gradient that a step passes to the one before;
    ``attached``: 1 if gradients flow through the decision to reset, else 0.
    """
    steps, _, size = gradient.shape
    kept, floored, scale = leak
    u = np.empty((steps, size), np.float32)
    back = np.empty(size, np.float32)
    constant = len(x) == 1
    for plane in range(first, last):
        c = plane % len(gain)
        _drive(u[0], x[0, plane], gain[c], offset[c])
        for t in range(1, steps):
            now = x[0 if constant else t, plane]
            _charge(
                u[t], u[t - 1], now, gain[c], offset[c], level[c], threshold[c], to_zero, kept, floored, scale
            )
        back[:] = _ZERO
        if constant:
            out[0, plane] = 0  # of either type
        total, product = _ZERO, _ZERO
        for t in range(steps - 1, -1, -1):
            given = gradient[t, plane]
            _adjoint(back, u[t], given, level[c], threshold[c], half, inverse[c], passed, to_zero, attached)
            if constant:
                more, times = _add(out[0, plane], back, x[0, plane])
            else:
                more, times = _store(out[t, plane], back, x[t, plane])
            total += more
            product += times
        sums[plane, 0] = total
        sums[plane, 1] = product


@compiled(fastmath=FREE_ORDER)
def _row_moments(x):
    total = _ZERO
    for i in range(len(x)):
        total += wide(x[i])
    mean = total / np.float32(len(x))
    squares = _ZERO
    for i in range(len(x)):
        squares += (wide(x[i]) - mean) * (wide(x[i]) - mean)
    return mean, squares


@compiled(fastmath=FREE_ORDER)
def moments(first, last, x, found):
    """Fill ``found`` [T, planes, 2] with each row's mean and its sum of squared distances from that mean."""
    for t in range(len(x)):
        for plane in range(first, last):
            mean, squares = _row_moments(x[t, plane])
            found[t, plane, 0] = mean
            found[t, plane, 1] = squares


@compiled(fastmath=FREE_ORDER)
def _blend(out, x, slope, share, shift):
    for i in range(len(out)):
        out[i] = narrow(wide(out[i]) * slope + wide(x[i]) * share + shift, out[i])


@compiled(fastmath=FREE_ORDER)
def blend(first, last, x, out, slope, share, shift):
    """``out`` <- slope * out + share * x + shift, each of these [C]."""
    for t in range(len(x)):
        for plane in range(first, last):
            c = plane % len(slope)
            _blend(out[t, plane], x[t, plane], slope[c], share[c], shift[c])
