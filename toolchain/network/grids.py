"""The step between the weights that 4 or 2 bits can say, for each output channel.

A weight becomes code * step. To make the step as large as the largest weight asks for, as 8 bits do, would leave most
weights of a channel at few of the codes, so the step is the one with the least squared error, clipped weights included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.codes import MAX_CODE

MAX_SHIFT = {4: 4, 2: 6}
"""Largest shift at which every code, times 2**shift, stays within -127 to 127."""

OCTAVES = 5
"""How far below the step at which no weight is clipped a better one is looked for."""

FINE = 8
"""Steps tried within an octave, where they need not be powers of two."""

SMALLEST = 2.0**-23
"""Largest weight that a channel of zeros is taken to have."""

Floats = NDArray[np.float64]


class Grid(NamedTuple):
    """Steps 2**-``exponent`` / ``gain`` of each output channel: int64 [out] and float32 [out], 2**-0.5 to 2**0.5.

    A channel's values times its gain have steps that are powers of two.
    """

    exponent: NDArray[np.int64]
    gain: NDArray[np.float32]


def choose_grid(weights: list[Floats], bits: int, free: bool) -> Grid:
    """The steps with the least squared error for ``weights``, arrays [out, ...] of one node.

    ``free``: steps may be any; otherwise powers of two, and every gain is 1.
    """
    flat = np.concatenate([weight.reshape(len(weight), -1) for weight in weights], axis=1)
    peak = np.maximum(np.abs(flat).max(axis=1), SMALLEST)
    # In octaves: how often 1 holds the step at which the largest weight gets the largest code.
    widest = np.log2(MAX_CODE[bits] / peak)
    if not free:
        widest = np.floor(widest)
    tried = np.arange(0, OCTAVES + 1, 1 / FINE if free else 1)
    errors = np.stack([_error(flat, widest + octaves, bits) for octaves in tried])
    found = widest + tried[errors.argmin(axis=0)]
    exponent = np.rint(found)
    return Grid(exponent.astype(np.int64), np.exp2(found - exponent).astype(np.float32))


def _error(flat: Floats, octaves: Floats, bits: int) -> Floats:
    """Squared error of each channel at the steps 2**-``octaves``."""
    step = np.exp2(-octaves)[:, None]
    code = np.rint(np.clip(flat / step, -MAX_CODE[bits], MAX_CODE[bits]))
    error: Floats = ((code * step - flat) ** 2).sum(axis=1)
    return error
