from __future__ import annotations

from tests.toolchain.training.small import network
from toolchain.graph.widths import narrowable, with_bits


def test_what_reads_pixels_keeps_its_bits() -> None:
    assert narrowable(network()) == {"node": 8, "head": 8}
    narrow = with_bits(network(), {"node": 4, "head": 2})
    assert narrowable(narrow) == {"node": 4, "head": 2}
    assert [node.name for node in narrow.nodes] == [node.name for node in network().nodes]
