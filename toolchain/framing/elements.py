"""Shapes and element types as files claim them, held against the bytes that are there."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from toolchain.framing.mapped import Damaged

MAX_RANK, MAX_ELEMENTS = 32, 1 << 40
"""Most axes of a tensor, and most elements: what claims more is no tensor of any model."""


def require_extents(name: str, extents: Sequence[int]) -> None:
    """Raises ``Damaged`` if a tensor cannot have these extents."""
    if len(extents) > MAX_RANK or any(extent < 0 for extent in extents) or prod(extents) > MAX_ELEMENTS:
        listed = ", ".join(map(str, extents[:4])) + (", …" if len(extents) > 4 else "")
        raise Damaged(f"has a tensor {name[:40]!r} with the shape [{listed}]")


def require_bytes(name: str, extents: Sequence[int], bits: int, size_bytes: int) -> None:
    """Raises ``Damaged`` if elements of ``bits`` bits in this shape do not take ``size_bytes``."""
    wanted = -(-prod(extents) * bits // 8)
    if wanted != size_bytes:
        raise Damaged(f"has a tensor {name[:40]!r} of {size_bytes:,} bytes whose shape needs {wanted:,}")
