# mypy: allow-untyped-defs
"""Integrate and fire as compiled loops (numba): all time steps of a map at once, forward and backward.

A map is [T, elements] in C order, its last axis being positions times channels, channels fastest. Work goes in
chunks of whole positions, whose membrane potentials stay in the first-level cache, and every value of a channel is
given repeated to a chunk's length. Potentials are not kept for the backward pass: computing them again takes less
time than reading them. ``BLOCK`` chunks share one row of sums, so that these do not depend on the number of threads.

    i = gain * x + offset;   u <- a * left + b * floor(left * 2**-k) + i;   spike = u >= level
    left = u - threshold * spike,  or u * (1 - spike)

``a`` and ``b`` make a leak: (kept, 0) of floats, (1, -1) and (0, 1) of integers (``neuron_backend.Dynamics``), in
which every operation is exact. ``level`` is the threshold, or the float above it where a neuron fires above it only.

Maps are float32, or bfloat16 seen as uint16: the upper half of a float32. What is computed is float32 in both.

Each inner loop is a function of its own over one-dimensional arrays, because LLVM turns only such loops into
vector instructions; none of it needs ``fastmath`` for that. All of it is in one file because numba's cache looks at
the age of the file alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from toolchain.network.compiled import compiled

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


BLOCK = 32
"""Chunks whose sums are added in float32."""


@compiled()
def _drive(u, x, gain, offset):
    """The first step's potentials: left of the step before is 0."""
    for i in range(len(x)):
        u[i] = wide(x[i]) * gain[i] + offset[i]


@compiled()
def _leave(left, u, level, threshold, to_zero):
    """What a reset leaves of the potentials ``u``."""
    if to_zero:
        for i in range(len(u)):
            left[i] = _ZERO if u[i] >= level[i] else u[i]
    else:
        for i in range(len(u)):
            left[i] = u[i] - (threshold[i] if u[i] >= level[i] else _ZERO)


@compiled()
def _charge(u, left, x, gain, offset, kept, floored, scale):
    """A step's potentials, before its reset, from what the step before left."""
    if floored == 0:
        for i in range(len(x)):
            u[i] = left[i] * kept + (wide(x[i]) * gain[i] + offset[i])
    else:
        for i in range(len(x)):
            decayed = left[i] * kept + np.floor(left[i] * scale) * floored
            u[i] = decayed + (wide(x[i]) * gain[i] + offset[i])


@compiled()
def _fire(spikes, u, level):
    for i in range(len(spikes)):
        spikes[i] = narrow(_ONE if u[i] >= level[i] else _ZERO, spikes[i])


@compiled()
def _adjoint(back, u, gradient, level, threshold, inverse, half, kept, to_zero, attached):
    """From the gradient of the step after, d loss / d u there in ``back``, to this step's."""
    if to_zero:
        for i in range(len(gradient)):
            of_left = back[i] * kept
            of_spike = wide(gradient[i]) - attached * of_left * u[i]
            argument = (u[i] - threshold[i] + half) * inverse[i]
            through = _ZERO if u[i] >= level[i] else of_left
            back[i] = through + of_spike * (inverse[i] / (_ONE + _SLOPE * argument * argument))
    else:
        for i in range(len(gradient)):
            of_left = back[i] * kept
            of_spike = wide(gradient[i]) - attached * of_left * threshold[i]
            argument = (u[i] - threshold[i] + half) * inverse[i]
            back[i] = of_left + of_spike * (inverse[i] / (_ONE + _SLOPE * argument * argument))


@compiled()
def _store(out, back):
    for i in range(len(out)):
        out[i] = narrow(back[i], out[i])


@compiled()
def _add(out, back):
    """``_store`` for a current that several steps share."""
    for i in range(len(out)):
        out[i] = narrow(wide(out[i]) + back[i], out[i])


@compiled()
def _sum(total, values):
    for i in range(len(values)):
        total[i] += values[i]


@compiled()
def _sum_products(total, values, x):
    for i in range(len(x)):
        total[i] += values[i] * wide(x[i])


@compiled()
def forward(first, last, x, spikes, gain, offset, level, threshold, to_zero, leak):
    """Fill ``spikes`` [T, elements] of the blocks ``first`` to ``last`` - 1.

    ``x``: [T, elements], or [1, elements] where every step has the same; the others are float32 [chunk], or of
    ``leak`` (a, b, 2**-k).
    """
    steps, elements = spikes.shape
    kept, floored, scale = leak
    chunk = len(gain)
    potentials, remains = np.empty(chunk, np.float32), np.empty(chunk, np.float32)
    for start in range(first * BLOCK * chunk, min(last * BLOCK * chunk, elements), chunk):
        end = min(start + chunk, elements)
        # Two buffers: where one is read and written, LLVM's check for overlap picks the loop without vectors.
        u, left = potentials[: end - start], remains[: end - start]
        _drive(u, x[0, start:end], gain, offset)
        _fire(spikes[0, start:end], u, level)
        for t in range(1, steps):
            _leave(left, u, level, threshold, to_zero)
            _charge(u, left, x[t if len(x) > 1 else 0, start:end], gain, offset, kept, floored, scale)
            _fire(spikes[t, start:end], u, level)


@compiled()
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
    inverse,
    half,
    to_zero,
    leak,
    passed,
    attached,
):
    """Fill ``out``, d loss / d i like ``x``, and add to ``sums`` [blocks, 2, chunk]: of it, and of it times x.

    ``gradient``: d loss / d spikes [T, elements]; ``half``: added to the surrogate's argument, of which ``inverse``
    [chunk] is the scale; ``passed``: the share of a gradient that a step passes to the one before; ``attached``: 1
    if gradients flow through the decision to reset, else 0.
    """
    steps, elements = gradient.shape
    kept, floored, scale = leak
    chunk, constant = len(gain), len(x) == 1
    potentials = np.empty((steps, chunk), np.float32)
    adjoints, remains = np.empty(chunk, np.float32), np.empty(chunk, np.float32)
    for start in range(first * BLOCK * chunk, min(last * BLOCK * chunk, elements), chunk):
        end = min(start + chunk, elements)
        block, size = start // (BLOCK * chunk), end - start
        back, left = adjoints[:size], remains[:size]
        _drive(potentials[0, :size], x[0, start:end], gain, offset)
        for t in range(1, steps):
            _leave(left, potentials[t - 1, :size], level, threshold, to_zero)
            now = x[0 if constant else t, start:end]
            _charge(potentials[t, :size], left, now, gain, offset, kept, floored, scale)
        back[:] = _ZERO
        if constant:
            out[0, start:end] = 0  # of either type
        for t in range(steps - 1, -1, -1):
            u, given = potentials[t, :size], gradient[t, start:end]
            _adjoint(back, u, given, level, threshold, inverse, half, passed, to_zero, attached)
            if constant:
                _add(out[0, start:end], back)
            else:
                _store(out[t, start:end], back)
            _sum(sums[block, 0], back)
            _sum_products(sums[block, 1], back, x[0 if constant else t, start:end])


@compiled()
def _spread(total, squares, x, near):
    for i in range(len(x)):
        total[i] += wide(x[i]) - near[i]
    for i in range(len(x)):
        squares[i] += (wide(x[i]) - near[i]) * (wide(x[i]) - near[i])


@compiled()
def moments(first, last, x, sums, near):
    """Add to ``sums`` [blocks, 2, chunk]: of x - near and of its square; ``near`` [chunk] is close to the mean."""
    elements, chunk = x.shape[1], len(near)
    for start in range(first * BLOCK * chunk, min(last * BLOCK * chunk, elements), chunk):
        block = start // (BLOCK * chunk)
        for t in range(len(x)):
            _spread(sums[block, 0], sums[block, 1], x[t, start : min(start + chunk, elements)], near)


@compiled()
def _blend(out, x, slope, share, shift):
    for i in range(len(out)):
        out[i] = narrow(wide(out[i]) * slope[i] + wide(x[i]) * share[i] + shift[i], out[i])


@compiled()
def blend(first, last, x, out, slope, share, shift):
    """``out`` <- slope * out + share * x + shift, each of these [chunk]."""
    elements, chunk = x.shape[1], len(slope)
    for start in range(first * BLOCK * chunk, min(last * BLOCK * chunk, elements), chunk):
        end = min(start + chunk, elements)
        for t in range(len(x)):
            _blend(out[t, start:end], x[t, start:end], slope, share, shift)
