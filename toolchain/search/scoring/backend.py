"""What scoring asks of integers, and which of the two implementations answers.

Tables of currents are int16 [T, B, R]: R neurons of a map in row, column, channel order, then zeros up to a whole
number of 64-bit words. A neuron without current never fires, so the zeros change no distance.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

from toolchain.search.scoring.fixed_point import Dynamics

WORD = 64
"""Neurons in a word of packed spikes."""

Extent = tuple[int, int, int]
"""Height, width and channels of a position's maps; neurons are numbered in this order."""


class Backend(Protocol):
    """Operations on maps; two implementations give the same integers, and floats equal to the last bit."""

    def moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Sum and sum of squares of each channel, float64 [C], of whole numbers float32 [..., C].

        Exact, and so the same in any order, while the sum of squares is below 2^53.
        """

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, out: Tensor) -> None:
        """Write round(sums * factor + offset), clamped, to the table ``out`` [T, B, R].

        ``sums`` float32 [T * B, ...]; ``factor``, ``offset`` float32: one element for each of the last ones of
        ``sums``, from the first again where there are more.
        """

    def pool(self, values: Tensor, extent: Extent, divisor: float, out: Tensor) -> None:
        """Write round(sum of the 3x3 window / divisor), zero padded, to the table ``out`` [T, B, R].

        ``values``: uint8 or int16 [T, B, H * W * C or more], contiguous.
        """

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        """Spikes uint8 [T, B, neurons] of one map driven by the table ``drive``."""

    def kernels(self, spikes: Tensor) -> Tensor:
        """``sahd.kernels`` of spikes uint8 [T, B, n]: float64 [3, B (B - 1) / 2]."""

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        """``sahd.kernels`` of G output nodes, each driven by the sum of three tables: float64 [G, 3, B (B - 1) / 2].

        ``tables`` int16 [K, T, B, R], of which the first is all zero; ``picks`` int64 [G, 3] on the CPU.
        """


def words(neurons: int) -> int:
    """Words of packed spikes that so many neurons take."""
    return -(-neurons // WORD)


def row(neurons: int) -> int:
    """R, the length of a table's rows for so many neurons.

    An odd number of words: rows that lie a power of two apart would compete for the same lines of a cache.
    """
    return (words(neurons) | 1) * WORD


def choose(device: torch.device) -> Backend:
    """The compiled kernel on the CPU where numba is installed, else torch; both give the same scores."""
    if device.type == "cpu" and find_spec("numba") is not None:
        from toolchain.search.scoring.compiled import Compiled

        return Compiled()
    from toolchain.search.scoring.tensors import Tensors

    return Tensors()
