"""Small networks of the ``snasnet`` space for the tests of several rooms."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.architecture_strategies import cells
from toolchain.architecture.snasnet import SnasnetArchitecture


def snasnet_architectures(
    max_channels: int = 4096, max_width: int = 1 << 16
) -> st.SearchStrategy[SnasnetArchitecture]:
    """Any architecture up to a size; images of 32x32 pixels and more fit all of them."""
    return st.builds(
        SnasnetArchitecture,
        channels=st.integers(1, max_channels),
        cells=st.tuples(cells(), cells()),
        time_steps=st.integers(1, 32 if max_channels > 100 else 4),
        stem_stride=st.integers(1, 2),
        pool=st.sampled_from([2, 4]),
        width=st.integers(1, max_width),
        voters=st.integers(1, 1000 if max_channels > 100 else 5),
    )
