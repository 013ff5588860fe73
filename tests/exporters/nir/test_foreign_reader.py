"""What snnTorch makes of our NIR files, and which of NIR's missing words is the cause of each difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exporters.nir import build
from tests.support.foreign_nir import SnntorchReader
from tests.support.graphs import random_graph, random_images
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif

pytest.importorskip("nirtorch")
SEEDS = (0, 4, 6, 10)


def agreement(graph: Graph, folder: Path, **options: bool) -> tuple[float, float, NDArray[np.bool_]]:
    """Share of spikes that agree, of all and at the layer that agrees least, and which images' classes do."""
    path = folder / "model.nir"
    path.write_bytes(build(graph, "board"))
    images = random_images(graph, 8)
    outputs, spikes = SnntorchReader(path, graph, **options).run(images)
    (trace,) = reference.traces(graph, images)
    shares: list[Any] = [(spikes[name] == trace.spikes[name]).mean() for name in spikes]
    sizes = [spikes[name].size for name in spikes]
    return float(np.average(shares, weights=sizes)), min(shares), outputs.argmax(1) == trace.scores.argmax(1)


def with_neurons(graph: Graph, **fields: Any) -> Graph:
    nodes = tuple(replace(node, **fields) if isinstance(node, Lif) else node for node in graph.nodes)
    return replace(graph, nodes=nodes)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_our_neuron_in_its_place_every_spike_agrees(seed: int, tmp_path: Path) -> None:
    """So shapes, wiring, weights, skips, pools, OR pooling and read-out are carried without loss."""
    _, least, classes = agreement(random_graph(seed), tmp_path, integers=True)
    assert least == 1 and classes.all()


@pytest.mark.parametrize("seed", SEEDS)
def test_reset_is_the_larger_cause(seed: int, tmp_path: Path) -> None:
    """NIR's LIF resets to a value; told of reset by subtraction, the reader agrees at least as well."""
    graph = with_neurons(random_graph(seed), reset="subtract")
    as_read, *_ = agreement(graph, tmp_path)
    told, *_ = agreement(graph, tmp_path, resets=True)
    assert told >= as_read and told > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_networks_that_reset_to_zero_need_no_telling(seed: int, tmp_path: Path) -> None:
    share, *_ = agreement(with_neurons(random_graph(seed), reset="zero"), tmp_path)
    assert share > 0.95
