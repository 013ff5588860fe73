"""Whole numbers, one or many at once: what a network needs, or an array with what each of many networks needs.

The cost model's formulas take either, so that a search that holds thousands of networks against a budget at
once gets the figures of each to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

Amount = int | NDArray[np.int64]
Estimate = float | NDArray[np.float64]
Truth = bool | NDArray[np.bool_]


class Map(NamedTuple):
    """Extent of a map of pixels or spikes in one time step, of one network or of many."""

    channels: Amount
    height: Amount
    width: Amount

    @property
    def size(self) -> Amount:
        """Number of elements."""
        return self.channels * self.height * self.width


def rounded(value: Estimate) -> Amount:
    """The nearest whole number, of two the even one."""
    return np.rint(value).astype(np.int64) if isinstance(value, np.ndarray) else round(value)


def larger(one: Amount, other: Amount) -> Amount:
    """The larger of two, element by element."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        found: NDArray[np.int64] = np.maximum(one, other)
        return found
    return max(one, other)


def smaller(one: Amount, other: Amount) -> Amount:
    """The smaller of two, element by element."""
    return -larger(-one, -other)


def choose(condition: Truth, yes: Amount, no: Amount) -> Amount:
    """``yes`` where ``condition`` holds and ``no`` elsewhere, element by element."""
    return np.where(condition, yes, no) if isinstance(condition, np.ndarray) else yes if condition else no


def indicator(condition: Truth) -> Amount:
    """1 where ``condition`` holds and 0 elsewhere, element by element."""
    return condition.astype(np.int64) if isinstance(condition, np.ndarray) else int(condition)


@overload
def ceiling(amount: int, multiple: int) -> int: ...
@overload
def ceiling(amount: Amount, multiple: Amount) -> Amount: ...
def ceiling(amount: Amount, multiple: Amount) -> Amount:
    """How many ``multiple`` it takes to hold ``amount``."""
    return -(-amount // multiple)
