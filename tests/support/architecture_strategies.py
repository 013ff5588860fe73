"""Hypothesis strategies of cells and architectures, for the property tests of several rooms."""

from __future__ import annotations

from hypothesis import strategies as st

from toolchain.architecture.architecture import Architecture, Shrink
from toolchain.architecture.cells import Cell, canonical_cells
from toolchain.graph.codes import WIDTHS
from toolchain.graph.nodes import Leak


def cells() -> st.SearchStrategy[Cell]:
    """Any distinct valid cell."""
    return st.sampled_from(canonical_cells())


def leaks() -> st.SearchStrategy[Leak]:
    """Every leak that a Graph may have."""
    shifted = st.builds(Leak, st.sampled_from(["subtract", "shift"]), st.integers(1, 15))
    return st.one_of(st.just(Leak("none")), shifted)


def architectures(max_channels: int = 4096, max_blocks: int = 8) -> st.SearchStrategy[Architecture]:
    """Any architecture up to a size; not every one fits every input."""
    channels = st.integers(1, max_channels)
    shrinks = st.builds(Shrink, st.sampled_from(["stride", "pool"]), channels)
    return st.builds(
        Architecture,
        time_steps=st.integers(1, 8),
        leak=leaks(),
        reset=st.sampled_from(["subtract", "zero"]),
        stem_channels=channels,
        stem_stride=st.integers(1, 2),
        blocks=st.lists(st.one_of(cells(), shrinks), max_size=max_blocks).map(tuple),
        head=st.sampled_from(["count", "flatten"]),
        bits=st.sampled_from(WIDTHS),
    )
