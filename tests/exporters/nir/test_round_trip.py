"""A network that was written as NIR is read back integer for integer, and what was changed in between is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.base import exporter
from exporters.nir import build, hdf5, load, read, unpack
from exporters.nir.convention import DT
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.profiles.catalog import load as load_profile

h5py = pytest.importorskip("h5py")
nir = pytest.importorskip("nir")


def read_back(content: bytes) -> Graph:
    """As ``load``, without a process of its own."""
    arrays, texts = unpack.collect(content)
    return read.graph_of(hdf5.tree(arrays | texts), "model.nir")[0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_integer_comes_back(seed: int) -> None:
    """The hash is over all that decides outputs: nodes, constants, weights, shifts of codes, preprocessing."""
    graph = random_graph(seed)
    assert read_back(build(graph, "board")).sha256() == graph.sha256()


def test_scores_of_a_file_that_was_read_back(tmp_path: Path) -> None:
    graph = random_graph(3)
    (path,) = exporter("nir").export(graph, load_profile("raspberry_pi_4b"), tmp_path)
    assert path == tmp_path / "model.nir" and list(tmp_path.iterdir()) == [path]
    found, facts = load(path)
    images = random_images(graph, 9)
    np.testing.assert_array_equal(reference.scores(found, images), reference.scores(graph, images))
    assert (facts["profile"], facts["time_steps"]) == ("raspberry_pi_4b", graph.time_steps)


def test_numbers_come_back_with_their_units() -> None:
    graph = of_numbers(random_graph(2))
    assert read_back(build(graph, "board")).sha256() == graph.sha256()


def test_files_are_the_same_twice() -> None:
    assert build(random_graph(5), "board") == build(random_graph(5), "board")


def test_what_any_reader_sees(tmp_path: Path) -> None:
    """Shapes on every node, a leak that Euler's steps give back, one threshold, and time steps and reset beside."""
    graph = random_graph(1)
    path = tmp_path / "model.nir"
    path.write_bytes(build(graph, "board"))
    found = nir.read(path)
    assert tuple(found.input_type["pixels"]) == tuple(graph.input.shape)
    assert all(node.input_type and node.output_type for node in found.nodes.values())
    for node in graph.all(Lif):
        neurons = found.nodes[node.name]
        assert neurons.tau.shape == tuple(node.shape)
        np.testing.assert_allclose(1 - DT / neurons.tau, node.leak.kept, atol=1e-7)
        assert (
            np.unique(neurons.v_threshold).size == 1 and not neurons.v_leak.any() and (neurons.r == 1).all()
        )
        own = neurons.metadata["spikenas"]
        assert own["reset"] == node.reset
        np.testing.assert_array_equal(own["threshold"], node.threshold)
    own = found.metadata["spikenas"]
    assert int(own["time_steps"]) == graph.time_steps
    assert json.loads(own["facts"])["graph_sha256"] == graph.sha256()
