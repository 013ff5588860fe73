"""Random networks, compiled for this machine, against the reference: every output is equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.support.c_networks import CNetwork, compiled
from tests.support.graphs import random_graph, random_images, with_wrong_weight
from toolchain.graph import reference
from toolchain.graph.graph import Graph

NETWORKS = 40

Pairs = list[tuple[Graph, CNetwork]]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    graphs = [random_graph(seed) for seed in range(NETWORKS)]
    return list(zip(graphs, compiled(graphs, tmp_path_factory.mktemp("networks")), strict=True))


@pytest.mark.parametrize("index", range(NETWORKS))
def test_scores_equal_the_reference(networks: Pairs, index: int) -> None:
    graph, network = networks[index]
    images = random_images(graph, 8, seed=index)
    assert np.array_equal(network.scores(images), reference.scores(graph, images))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(0, NETWORKS - 1))
def test_scores_equal_the_reference_whatever_the_image(
    networks: Pairs, data: st.DataObject, index: int
) -> None:
    graph, network = networks[index]
    pixels = st.one_of(st.sampled_from([0, 1, 127, 128, 255]), st.integers(0, 255))
    image = data.draw(arrays(np.uint8, graph.input.extents, elements=pixels))
    assert np.array_equal(network.scores(image[None]), reference.scores(graph, image[None]))


def test_the_networks_are_alive(networks: Pairs) -> None:
    """Scores that never change would agree whatever the kernels did."""
    changing = [
        len(np.unique(reference.scores(graph, random_images(graph, 8)), axis=0)) > 1 for graph, _ in networks
    ]
    assert sum(changing) > 0.75 * len(changing)


def test_every_self_test_passes(networks: Pairs) -> None:
    assert all(network.self_test() for _, network in networks)


def test_inference_leaves_nothing_behind(networks: Pairs) -> None:
    """The arena is not cleared between images, so no kernel may count on what it holds."""
    graph, network = networks[0]
    images = random_images(graph, 4)
    again = [network.scores(images[k : k + 1])[0] for k in (3, 1, 0, 2, 0, 1, 2, 3)]
    once = network.scores(images)
    assert np.array_equal(again[-4:], once) and np.array_equal(again[:4], once[[3, 1, 0, 2]])


def test_a_planted_weight_is_caught(networks: Pairs, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A weight that is off by one in the sources alone shows in the scores wherever it makes a difference at all."""
    planted = [with_wrong_weight(graph) for graph, _ in networks[:12]]
    wrong = compiled(planted, tmp_path_factory.mktemp("planted"))
    caught = 0
    for (graph, _), other, network in zip(networks, planted, wrong, strict=False):
        images = random_images(graph, 64)
        expected = reference.scores(graph, images)
        differs = not np.array_equal(network.scores(images), expected)
        assert differs == (not np.array_equal(reference.scores(other, images), expected))
        caught += differs
    assert caught >= 3
