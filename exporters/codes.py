"""Codes of 4 and 2 bits as bytes; how their order serves the reader is each exporter's to say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Array


def packed(planes: Array, bits: int) -> NDArray[np.uint8]:
    """Bytes [...] of codes [8 / bits, ...]: plane 0 takes the low bits; each code has 2**(bits - 1) added."""
    found = np.zeros(planes.shape[1:], np.int64)
    for place, plane in enumerate(planes.astype(np.int64)):
        found |= (plane + (1 << bits - 1)) << bits * place
    return found.astype(np.uint8)
