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


class Backend(Protocol):
    """Integer operations on maps; two implementations give the same integers."""

    def moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Sum and sum of squares of each channel, float64 [C], of whole numbers float32 [..., C].

        Exact, and so the same in any order, while the sum of squares is below 2^53.
        """

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, chosen: Tensor | None, out: Tensor) -> None:
        """Write round(sums * factor + offset), clamped, to the table ``out``.

        ``sums`` float32 [T, B, P, C]; ``factor``, ``offset`` float32 [C]; ``chosen`` int64 [n] or None: which of
        the P * C neurons the table has.
        """

    def pool(self, values: Tensor, divisor: float) -> Tensor:
        """round(sum of the 3x3 window / divisor), zero padded: int16 of the shape of ``values``.

        ``values``: uint8 or int16 [T, B, H, W, C].
        """

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        """Spikes uint8 [T, B, neurons] of one map driven by the table ``drive``."""

    def distances(self, spikes: Tensor) -> Tensor:
        """Hamming distances int32 [T, B, B] of spikes uint8 [T, B, n]; on the diagonal how many fired."""

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics) -> Tensor:
        """Distances int32 [G, T, B, B] of G output nodes, each driven by the sum of three tables.

        ``tables`` int16 [K, T, B, R], of which the first is all zero; ``picks`` int64 [G, 3] on the CPU.
        """


def row(neurons: int) -> int:
    """R, the length of a table's rows for so many neurons."""
    return -(-neurons // WORD) * WORD


def choose(device: torch.device) -> Backend:
    """The compiled kernel on the CPU where numba is installed, else torch; both give the same scores."""
    if device.type == "cpu" and find_spec("numba") is not None:
        from toolchain.search.scoring.compiled import Compiled

        return Compiled()
    from toolchain.search.scoring.tensors import Tensors

    return Tensors()
