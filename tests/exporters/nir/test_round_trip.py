"""A network that was written as NIR is read back integer for integer, and what was changed in between is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.base import exporter
from exporters.nir import build, hdf5, load, read, unpack
from exporters.nir.convention import DT
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain.errors import InputError
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


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        change(file["node"])
    return stream.getvalue()


def put(where: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Replace the dataset ``where`` by what ``change`` makes of it."""

    def replace(node: Any) -> None:
        values = change(node[where][()])
        del node[where]
        node[where] = values

    return replace


GRAPH = random_graph(1)
FIRST = next(GRAPH.all(Lif)).name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(f"nodes/{FIRST}/tau", lambda tau: 2 * tau), "other nodes than its description"),
        (put(f"nodes/{FIRST}.conv0/stride", lambda _: [3, 3]), "other nodes than its description"),
        (put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight * 1e9), "nodes that do not fit"),
        (
            put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight[..., np.newaxis]),
            "nodes that do not fit",
        ),
        (put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight * np.nan), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/metadata/spikenas/threshold", lambda theta: theta * 0), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/metadata/spikenas/reset", lambda _: "zero"), "other nodes than its description"),
        (put(f"nodes/{GRAPH.head.name}/bias", lambda bias: bias[::-1]), "holds another network than it says"),
        (put("edges", lambda edges: edges[:-1]), "other edges than its description"),
        (put("metadata/spikenas/facts", lambda _: "{}"), "does not say that this toolchain wrote it"),
        (put("metadata/spikenas/facts", lambda _: "[" * 50_000), "broken metadata"),
        (put("metadata/spikenas/graph", lambda _: "{}"), "is not a network description"),
        (
            put("metadata/spikenas/graph", lambda text: text.replace(b"lif", b"x")),
            "is not a network description",
        ),
        (lambda node: node.__delitem__(f"nodes/{FIRST}"), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/type", lambda _: "IF"), "other nodes than its description"),
        (lambda node: node.__delitem__("metadata"), "does not say that this toolchain wrote it"),
    ],
)
def test_a_file_that_was_changed_is_refused(change: Callable[[Any], None], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_back(changed(build(GRAPH, "board"), change))
    assert "\n" not in str(caught.value)
