"""What the numbers in NIR's nodes compute is what the integers do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from exporters.nir.lowering import KEY, current_factor, edge_factor, edge_weight, lower
from exporters.nir.names import edge_name
from tests.support.graphs import random_graph, random_images
from toolchain.errors import ToolMissingError
from toolchain.graph import reference
from toolchain.graph.nodes import Lif, PixelConv, Pool, Skip, SpikeConv

pytest.importorskip("nir")


def convolved(found: Any, spikes: Any) -> Any:
    """What a NIR convolution makes of spikes [n, C, H, W], in float64."""
    return torch.nn.functional.conv2d(
        torch.tensor(np.asarray(spikes), dtype=torch.float64),
        torch.tensor(np.asarray(found.weight), dtype=torch.float64),
        torch.tensor(np.asarray(found.bias), dtype=torch.float64),
        stride=tuple(map(int, found.stride)),
        padding=tuple(map(int, found.padding)),
    ).numpy()


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_currents_of_the_first_step_are_the_integers(seed: int) -> None:
    graph = random_graph(seed)
    (trace,) = reference.traces(graph, random_images(graph, 3))
    nodes, compared = lower(graph, "board").nodes, 0
    for node in graph.all(Lif):
        if isinstance(node.edges[0], PixelConv):
            continue  # NIR has no rounding
        total = sum(
            convolved(nodes[edge_name(node.name, index, edge)], trace.spikes[edge.source][0])
            for index, edge in enumerate(node.edges)
        )
        assert node.threshold is not None
        current = total / current_factor(node).reshape(-1, 1, 1)
        np.testing.assert_allclose(current, np.rint(current), atol=2e-3)
        fired = np.rint(current) >= node.threshold.reshape(-1, 1, 1)
        np.testing.assert_array_equal(fired, trace.spikes[node.name][0])
        compared += fired.size
    assert compared


def test_edges_without_weights_are_convolutions_with_ones() -> None:
    seen = set()
    for seed in range(30):
        for node in random_graph(seed).all(Lif):
            assert node.exponent is not None
            for edge in node.edges:
                weight, factor = edge_weight(node, edge), edge_factor(node, edge)
                if isinstance(edge, Skip | Pool):
                    ones = np.zeros_like(weight)
                    ones[np.arange(len(weight)), np.arange(len(weight))] = 1
                    np.testing.assert_array_equal(weight, ones)
                    eighths = 3 if isinstance(edge, Pool) else 0
                    np.testing.assert_array_equal(factor, 2.0 ** (node.exponent.astype(int) - eighths))
                elif isinstance(edge, SpikeConv):
                    assert edge.weight is not None and (factor == 1).all()
                    np.testing.assert_array_equal(weight, edge.weight)
                else:
                    assert edge.rounding is not None
                    np.testing.assert_array_equal(factor, 256 / 2.0 ** edge.rounding.astype(int))
                seen.add(type(edge))
    assert seen == {Skip, Pool, SpikeConv, PixelConv}


def test_names_of_what_is_added_are_in_no_graph() -> None:
    for seed in range(10):
        graph = random_graph(seed)
        own = {node.name for node in graph.nodes}
        nodes = lower(graph, "board").nodes
        assert own <= set(nodes) and all("." in name for name in set(nodes) - own)
        assert {KEY} <= set(nodes[graph.head.name].metadata)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(ToolMissingError, match=r"pip install 'spikenas-deploy\[nir\]'"):
        lower(random_graph(1), "board")
