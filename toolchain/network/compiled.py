"""Loops compiled by numba: machine code for the CPU at hand, made on the first call and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Any], Any]:
    """Decorator: compile on the first call and keep the machine code on disk, if there is a folder for it.

    ``error_model``: without Python's check for zero divisors, which keeps loops from being vectorized. ``fastmath``
    is not for loops that compute floats: what it rounds would depend on whether a loop has just been compiled or was
    read from disk, because a function that another one calls is then another copy, optimized otherwise.
    """
    chosen = {"nogil": True, "error_model": "numpy"} | options

    def decorate(function: Any) -> Any:
        try:
            return njit(cache=True, **chosen)(function)
        except RuntimeError:  # neither this folder nor the user's cache can be written
            return njit(**chosen)(function)

    return decorate
