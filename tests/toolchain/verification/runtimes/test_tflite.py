from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import exporters.tflite
from tests.support.graphs import random_graph, random_images, with_wrong_weight
from tests.support.large import large_graph
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.profiles.catalog import load
from toolchain.verification.runtimes import tflite
from toolchain.verification.runtimes.batches import MAX_BATCH
from toolchain.verification.runtimes.tflite import PACKAGES, Package, TfliteRuntime, available

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> Package:
    """Each interpreter that can be installed with this Python; the newer one must be there."""
    if request.param not in available():
        assert request.param == "tflite_runtime", "ai-edge-litert is a dependency of the core"
        pytest.skip("tflite-runtime has no wheel for this Python")
    name: Package = request.param
    return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


def exported(graph: Graph, folder: Path) -> Path:
    (path,) = exporters.tflite.export(graph, load("raspberry_pi_4b"), folder)
    return path


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_the_interpreter_computes_the_integers_of_the_reference(
    folder: Path, package: Package, seed: int
) -> None:
    graph = random_graph(seed)
    images = random_images(graph, 6, seed)
    expected = reference.scores(graph, images)
    runtime = TfliteRuntime(exported(graph, folder), package)
    scores = runtime.scores(images)
    assert scores.dtype == np.int32
    np.testing.assert_array_equal(scores, expected)
    np.testing.assert_array_equal(runtime.scores(images[:1]), expected[:1])


def test_a_network_of_a_boards_size(folder: Path, package: Package) -> None:
    graph = large_graph()
    images = random_images(graph, 16)
    expected = reference.scores(graph, images)
    np.testing.assert_array_equal(TfliteRuntime(exported(graph, folder), package).scores(images), expected)
    wrong = TfliteRuntime(exported(with_wrong_weight(graph), folder), package)
    assert not np.array_equal(wrong.scores(images), expected)


def test_a_planted_off_by_one_weight_is_noticed(folder: Path, package: Package) -> None:
    planted = 0
    for seed in range(12):
        graph = random_graph(seed)
        wrong, images = with_wrong_weight(graph), random_images(graph, 16)
        expected = reference.scores(graph, images)
        # In some graphs the weight has no effect on the spikes: its channel is silent, or always fires.
        if planted == 3 or np.array_equal(reference.scores(wrong, images), expected):
            continue
        planted += 1
        assert not np.array_equal(TfliteRuntime(exported(wrong, folder), package).scores(images), expected)
    assert planted == 3


def test_scores_do_not_depend_on_batches_or_threads(folder: Path, package: Package) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2 * MAX_BATCH + 3)
    expected = reference.scores(graph, images)
    path = exported(graph, folder)
    runtime = TfliteRuntime(path, package)
    np.testing.assert_array_equal(runtime.scores(images), expected)
    np.testing.assert_array_equal(runtime.scores(images[:1]), expected[:1])
    assert runtime.scores(images[:0]).shape == (0, graph.head.classes)
    np.testing.assert_array_equal(TfliteRuntime(path, package, threads=2).scores(images), expected)


def test_a_runtime_says_what_it_is(folder: Path, package: Package) -> None:
    graph = random_graph(2)
    runtime = TfliteRuntime(exported(graph, folder), package)
    assert runtime.name.startswith(package.replace("_", "-") + " 2.") and runtime.evidence == "measured"
    assert runtime.facts["graph_sha256"] == graph.sha256()
    assert TfliteRuntime(folder / "model.tflite").name.startswith(available()[0].replace("_", "-"))


def test_images_of_another_shape_or_type_are_refused(folder: Path, package: Package) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2)
    runtime = TfliteRuntime(exported(graph, folder), package)
    for wrong in (images[:, :, :-1], images.astype(np.float32), images[0]):
        with pytest.raises(InputError, match="takes images uint8"):
            runtime.scores(wrong)


def test_loading_and_running_prints_nothing(
    folder: Path, package: Package, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = random_graph(2)
    TfliteRuntime(exported(graph, folder), package).scores(random_images(graph, 3))
    assert capfd.readouterr() == ("", "")


def test_numpy_2_rules_out_the_older_interpreter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(random_graph(2), folder)
    monkeypatch.setattr(np, "__version__", "2.4.6")
    assert available() == ["ai_edge_litert"]
    with pytest.raises(ToolMissingError, match="tflite-runtime needs numpy below 2"):
        TfliteRuntime(path, "tflite_runtime")


def test_no_interpreter_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(random_graph(2), folder)

    def missing(name: str) -> Callable[..., None]:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(tflite, "import_module", missing)
    with pytest.raises(
        ToolMissingError, match=r"no TFLite interpreter can be used .*`pip install ai-edge-litert`"
    ):
        TfliteRuntime(path)
