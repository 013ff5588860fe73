from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.support.architectures import quantized
from toolchain.graph.nodes import Leak, Lif
from toolchain.graph.thresholds import small_thresholds

LINE = "t2 leak2 reset-subtract stem8/1 003000 head-count"


def test_channels_under_64_are_counted_where_something_leaks() -> None:
    graph = quantized(LINE)
    (stem, node) = graph.all(Lif)
    wide = replace(stem, threshold=np.full(8, 64, np.int16))
    low = replace(node, threshold=np.where(np.arange(8) < 3, 63, 64).astype(np.int16))
    found = replace(graph, nodes=(graph.input, wide, low, graph.head))
    assert small_thresholds(found) == {node.name: 3}
    still = replace(low, leak=Leak("none"))
    assert small_thresholds(replace(found, nodes=(graph.input, wide, still, graph.head))) == {}
