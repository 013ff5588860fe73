"""Weights of 4 and 2 bits: how int8 weights are stored in less.

A weight is code * 2**shift, with one shift for each output channel of a node, whichever edge it belongs to.
Whoever unpacks them gets the int8 weights back; all arithmetic, bounds and exponents see only these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Array, as_int

WIDTHS = (8, 4, 2)
"""Bits in which a weight may be stored."""

MAX_CODE = {4: 7, 2: 1}
"""Largest magnitude of a code, by bits. Codes are symmetric, so those of 2 bits are -1, 0 and 1: ternary."""

MAX_CODE_SHIFT = 6
"""Largest shift: 1 * 2**6 is the largest power of two that fits int8 with either sign."""


def codes(weight: Array, shift: Array) -> NDArray[np.int64]:
    """The codes of ``weight`` [out, ...] for ``shift`` [out]; what a shift leaves over is dropped."""
    found: NDArray[np.int64] = as_int(weight, "weight") >> _by_output(weight, shift)
    return found


def representable(weight: Array, shift: Array, bits: int) -> NDArray[np.bool_]:
    """Which output channels of ``weight`` [out, ...] are codes of ``bits`` bits, times 2**shift: bool [out]."""
    code = codes(weight, shift)
    good = (np.abs(code) <= MAX_CODE[bits]) & (code << _by_output(weight, shift) == weight)
    kept: NDArray[np.bool_] = good.reshape(len(good), -1).all(axis=1)
    return kept


def _by_output(weight: Array, shift: Array) -> NDArray[np.int64]:
    return as_int(shift, "shift").reshape(-1, *[1] * (weight.ndim - 1))
