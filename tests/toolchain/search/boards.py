"""Boards and limits for the tests of this room."""

from __future__ import annotations

from typing import Any

from tests.support.data import bars
from toolchain import profiles
from toolchain.datasets import Dataset
from toolchain.profiles.budget import budget
from toolchain.search.board import Board


def board(name: str = "stm32f405", data: Dataset | None = None, **limits: Any) -> Board:
    """The shipped board ``name`` with narrowed ``limits``, for bars of 8x8 pixels if no ``data`` is given."""
    profile = profiles.load(name)
    return Board.for_data(profile, budget(profile, **limits), data or bars())
