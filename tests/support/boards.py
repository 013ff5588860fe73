"""Boards that differ from shipped ones in one thing."""

from __future__ import annotations

from toolchain.profiles.schema import Profile


def with_copies(board: Profile, name: str, size_bytes: int) -> Profile:
    """``board`` whose region ``name`` takes so many bytes of copies of weights."""
    regions = tuple(
        region.model_copy(update={"weight_copies_bytes": size_bytes} if region.name == name else {})
        for region in board.regions
    )
    return board.model_copy(update={"regions": regions})
