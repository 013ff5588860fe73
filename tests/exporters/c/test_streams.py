"""Streams: a network that runs by time steps, compiled for this machine, against the reference after every step."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from tests.support.c_networks import CNetwork, compiled
from tests.support.graphs import random_graph, random_images
from tests.support.streams import scores_by_step, stream
from toolchain import profiles
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.streams import stream_limit

NETWORKS = 32
LONG = 40
"""Time steps of a long stream, more than any network has."""

Pairs = list[tuple[Graph, CNetwork]]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    graphs = [random_graph(seed) for seed in range(NETWORKS)]
    return list(zip(graphs, compiled(graphs, tmp_path_factory.mktemp("streams"), "steps"), strict=True))


@pytest.mark.parametrize("index", range(NETWORKS))
def test_after_every_step_scores_equal_the_reference_with_so_many_time_steps(
    networks: Pairs, index: int
) -> None:
    graph, network = networks[index]
    for sample in random_images(graph, 4, seed=index):
        network.reset()
        for step in range(1, graph.time_steps + 1):
            assert network.step(sample if graph.input.frames == 1 else sample[step - 1])
            framed = graph.input.frames > 1 and step > 1
            cut = replace(
                graph,
                time_steps=step,
                nodes=(replace(graph.input, frames=step if framed else 1), *graph.nodes[1:]),
            )
            pixels = sample if graph.input.frames == 1 else sample[:step] if framed else sample[0]
            (trace,) = [reference._interpret(cut, pixels[np.newaxis])]
            assert network.scores_so_far().tolist() == trace.scores[0].tolist()


@pytest.mark.parametrize("index", range(NETWORKS))
def test_a_stream_goes_on_for_as_long_as_nothing_can_overflow(networks: Pairs, index: int) -> None:
    graph, network = networks[index]
    limit = stream_limit(graph).steps
    assert limit >= graph.time_steps
    frames = stream(graph, min(LONG, limit), seed=index)
    network.reset()
    for frame, scores in zip(frames, scores_by_step(graph, frames), strict=True):
        assert network.step(frame) and network.scores_so_far().tolist() == scores


@pytest.mark.parametrize("index", range(NETWORKS))
def test_an_inference_gives_the_scores_of_the_other_schedule(networks: Pairs, index: int) -> None:
    graph, network = networks[index]
    images = random_images(graph, 6, seed=index)
    assert np.array_equal(network.scores(images), reference.scores(graph, images))
    assert network.self_test()


def test_a_reset_forgets_everything(networks: Pairs) -> None:
    for index, (graph, network) in enumerate(networks):
        frames = stream(graph, graph.time_steps, seed=index)
        rounds = []
        for _ in range(2):
            network.reset()
            assert network.scores_so_far().tolist() == graph.head.bias.tolist()
            rounds.append([(network.step(frame), network.scores_so_far().tolist()) for frame in frames])
        assert rounds[0] == rounds[1]


def test_reading_the_scores_changes_nothing(networks: Pairs) -> None:
    graph, network = networks[3]
    frames = stream(graph, graph.time_steps)
    network.reset()
    for frame in frames:
        network.step(frame)
    assert (
        network.scores_so_far().tolist()
        == network.scores_so_far().tolist()
        == scores_by_step(graph, frames)[-1]
    )


def test_streams_are_alive(networks: Pairs) -> None:
    """Scores that never change would agree whatever the kernels did."""
    changing = [
        len({tuple(scores) for scores in scores_by_step(graph, stream(graph, 8))}) > 1
        for graph, _ in networks
    ]
    assert sum(changing) > 0.75 * len(changing)


def test_no_step_is_taken_beyond_the_most(networks: Pairs, tmp_path: Path) -> None:
    graph = networks[0][0]
    limited = next((graph, network) for graph, network in networks if stream_limit(graph).steps < 400)
    graph, network = limited
    limit = stream_limit(graph).steps
    frame = np.full(graph.input.shape, 255, np.uint8)
    network.reset()
    assert all(network.step(frame) for _ in range(limit))
    scores = network.scores_so_far().tolist()
    assert not network.step(frame) and network.scores_so_far().tolist() == scores
    network.reset()
    assert network.step(frame)
    header = export(graph, profiles.load("stm32f405"), tmp_path, schedule="steps")[0].parent / "net.h"
    assert re.search(r"#define NET_MAX_STEPS (\d+)u", header.read_text()).group(1) == str(limit)
