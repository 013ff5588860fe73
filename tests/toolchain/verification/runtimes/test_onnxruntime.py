from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exporters.onnx
from tests.support.graphs import random_graph, random_images, with_wrong_weight
from tests.support.large import large_graph
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.codes import WIDTHS
from toolchain.graph.graph import Graph
from toolchain.profiles.catalog import load
from toolchain.verification.runtimes.batches import MAX_BATCH
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime, OnnxStepRuntime

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


def runtimes(graph: Graph, folder: Path, profile: str = "jetson_nano") -> list[OnnxRuntime | OnnxStepRuntime]:
    unrolled, step = exporters.onnx.export(graph, load(profile), folder)
    return [OnnxRuntime(unrolled), OnnxStepRuntime(step)]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_both_forms_compute_the_integers_of_the_reference(folder: Path, seed: int) -> None:
    graph = random_graph(seed)
    images = random_images(graph, 6, seed)
    expected = reference.scores(graph, images)
    for runtime in runtimes(graph, folder):
        scores = runtime.scores(images)
        assert scores.dtype == np.int32
        np.testing.assert_array_equal(scores, expected, err_msg=runtime.name)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_network_of_a_boards_size(folder: Path, bits: int) -> None:
    graph = large_graph(bits)
    images = random_images(graph, 16)
    expected = reference.scores(graph, images)
    assert len(np.unique(expected)) > 120, "the images differ in their scores"
    for runtime in runtimes(graph, folder):
        np.testing.assert_array_equal(runtime.scores(images), expected, err_msg=runtime.name)
    for runtime in runtimes(with_wrong_weight(graph), folder):
        assert not np.array_equal(runtime.scores(images), expected), runtime.name


@pytest.mark.parametrize("profile", ["jetson_orin_nano", "raspberry_pi_4b"])
def test_newer_boards_compute_the_same(folder: Path, profile: str) -> None:
    """Their files have INT4 weights."""
    for graph in [*map(random_graph, range(5)), large_graph(4), large_graph(2)]:
        images = random_images(graph, 4)
        for runtime in runtimes(graph, folder, profile):
            np.testing.assert_array_equal(runtime.scores(images), reference.scores(graph, images))


def test_a_planted_off_by_one_weight_is_noticed_in_both_forms(folder: Path) -> None:
    planted = 0
    for seed in range(12):
        graph = random_graph(seed)
        wrong, images = with_wrong_weight(graph), random_images(graph, 16)
        expected = reference.scores(graph, images)
        # In some graphs the weight has no effect on the spikes: its channel is silent, or always fires.
        if planted == 3 or np.array_equal(reference.scores(wrong, images), expected):
            continue
        planted += 1
        for runtime in runtimes(wrong, folder):
            assert not np.array_equal(runtime.scores(images), expected), runtime.name
    assert planted == 3


def test_scores_do_not_depend_on_batches_or_threads(folder: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2 * MAX_BATCH + 3)
    expected = reference.scores(graph, images)
    for runtime in runtimes(graph, folder):
        np.testing.assert_array_equal(runtime.scores(images), expected)
        np.testing.assert_array_equal(runtime.scores(images[:1]), expected[:1])
        assert runtime.scores(images[:0]).shape == (0, graph.head.classes)
    path = folder / "model.onnx"
    np.testing.assert_array_equal(OnnxRuntime(path, threads=2).scores(images), expected)


def test_a_runtime_says_what_it_is(folder: Path) -> None:
    graph = random_graph(2)
    unrolled, step = runtimes(graph, folder)
    assert unrolled.name.startswith("ONNX Runtime 1.") and step.name == f"{unrolled.name}, step by step"
    assert unrolled.evidence == step.evidence == "measured"
    assert unrolled.facts["graph_sha256"] == graph.sha256()


def test_the_wrong_form_is_named(folder: Path) -> None:
    runtimes(random_graph(2), folder)
    with pytest.raises(InputError, match="is the step form of a network, not the unrolled form"):
        OnnxRuntime(folder / "model_step.onnx")
    with pytest.raises(InputError, match="is the unrolled form of a network, not the step form"):
        OnnxStepRuntime(folder / "model.onnx")


def test_images_of_another_shape_or_type_are_refused(folder: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2)
    for runtime in runtimes(graph, folder):
        for wrong in (images[:, :, :-1], images.astype(np.float32), images[0]):
            with pytest.raises(InputError, match="takes images uint8"):
                runtime.scores(wrong)


def test_loading_and_running_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    graph = random_graph(2)
    for runtime in runtimes(graph, folder):
        runtime.scores(random_images(graph, 2))
    assert capfd.readouterr() == ("", "")
