"""Where spikes first differ, held against the reference of the right network and of the planted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import exporters.onnx
import exporters.tflite
from tests.support.graphs import random_graph, random_images, with_wrong_weight
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.profiles import load
from toolchain.verification.divergence import divergence
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime, OnnxStepRuntime
from toolchain.verification.runtimes.tflite import TfliteRuntime, available

BOARD = load("raspberry_pi_4b")


def planted(framed: bool) -> tuple[Graph, Graph, NDArray[np.uint8], int]:
    """A network, the same with a weight off by one, images, and the first of these whose scores differ."""
    for seed in range(300):
        graph = random_graph(seed, framed=framed)
        images = random_images(graph, 8)
        wrong = with_wrong_weight(graph)
        differ = (reference.scores(graph, images) != reference.scores(wrong, images)).any(axis=1)
        if differ.any() and len(graph.nodes) > 4 and graph.time_steps > 2:
            return graph, wrong, images, int(differ.argmax())
    raise AssertionError("no network notices its weight")


def opened(wrong: Graph, folder: Path) -> list[Any]:
    """Every runtime that shows spikes, with the artifacts of the planted network."""
    one, step = exporters.onnx.export(wrong, BOARD, folder)
    (lite,) = exporters.tflite.export(wrong, BOARD, folder)
    runtimes: list[Any] = [OnnxRuntime(one), OnnxStepRuntime(step)]
    runtimes += [TfliteRuntime(lite, package) for package in available()]
    return [*runtimes, TfliteRuntime(lite, available()[-1], kernels="reference")]


@pytest.mark.parametrize("framed", [False, True])
def test_a_planted_weight_is_found_where_it_is(framed: bool, tmp_path: Path) -> None:
    graph, wrong, images, image = planted(framed)
    right, other = (next(reference.traces(each, images[image : image + 1])).spikes for each in (graph, wrong))
    differing = np.argwhere(right["stem"] != other["stem"])
    step, _, *place = differing[0]
    for runtime in opened(wrong, tmp_path):
        found = divergence(graph, runtime, images, image)
        assert found is not None and (found.node, found.image) == ("stem", image)
        assert (found.time_step, found.channel, found.row, found.column) == (step, *place)
        assert (found.expected, found.got) == (right["stem"][tuple(differing[0])], 1 - found.expected)
        assert (found.differing, found.spikes) == (len(differing), right["stem"].size)
        assert f"first differ in stem, at time step {step}, channel {place[0]}" in found.sentence


@pytest.mark.parametrize("framed", [False, True])
def test_spikes_are_those_of_the_reference(framed: bool, tmp_path: Path) -> None:
    for seed in range(4):
        graph = random_graph(seed, framed=framed)
        images = random_images(graph, 1)
        (trace,) = reference.traces(graph, images)
        for runtime in opened(graph, tmp_path):
            found = runtime.spikes(images, list(trace.spikes), graph.time_steps)
            assert set(found) == set(trace.spikes)
            for node, spikes in trace.spikes.items():
                np.testing.assert_array_equal(found[node], spikes)


def test_a_wrong_read_out_is_told_as_such(tmp_path: Path) -> None:
    graph = random_graph(2)
    assert graph.head.bias is not None
    head = replace(graph.head, bias=graph.head.bias + 1)
    wrong = replace(graph, nodes=(*graph.nodes[:-1], head))
    for runtime in opened(wrong, tmp_path):
        found = divergence(graph, runtime, random_images(graph, 2), 1)
        assert found is not None and (found.node, found.time_step) == ("head", None)
        assert found.sentence == "all spikes of image 1 agree, so head (the read-out) differs"


def test_a_runtime_that_has_other_nodes_shows_nothing(tmp_path: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 1)
    (runtime, *_) = opened(graph, tmp_path)
    with pytest.raises(InputError, match="does not show the spikes of nothing"):
        runtime.spikes(images, ["nothing"], 2)

    class Other:
        def scores(self, images: Any) -> Any:
            raise AssertionError

        def spikes(self, images: Any, nodes: Sequence[str], time_steps: int) -> dict[str, Any]:
            return {node: np.zeros((1, 1, 1, 1, 1), np.uint8) for node in nodes}

    assert divergence(graph, Other(), images, 0) is None
    assert divergence(graph, runtime, images, 0) is None, "the image alone gives the reference's scores"
