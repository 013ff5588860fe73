"""What models of any format are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Shape = tuple[int | str, ...]
"""Extents; a text where one is free."""


@dataclass(frozen=True)
class Value:
    """An input, an output or a state (which goes in and comes out again)."""

    name: str
    dtype: str
    shape: Shape


class Operator(NamedTuple):
    """An operator with the names of what it reads and gives."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
