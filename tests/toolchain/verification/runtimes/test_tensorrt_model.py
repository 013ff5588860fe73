from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import exporters.onnx
from exporters.onnx import tensorrt
from tests.support.graphs import of_numbers, random_graph, random_images, with_wrong_weight
from tests.support.large import large_graph
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.codes import WIDTHS
from toolchain.graph.graph import Graph
from toolchain.profiles.catalog import load
from toolchain.verification.runtimes.onnxruntime import OnnxRuntime
from toolchain.verification.runtimes.tensorrt_model import NO_INTEGER, TensorrtModel

ORIN = load("jetson_orin_nano")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


def models(graph: Graph, folder: Path) -> list[TensorrtModel]:
    return [TensorrtModel(path) for path in tensorrt.export(graph, ORIN, folder)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), numbers=st.booleans())
def test_both_files_compute_the_integers_of_the_reference(folder: Path, seed: int, numbers: bool) -> None:
    graph = of_numbers(random_graph(seed)) if numbers else random_graph(seed)
    images = random_images(graph, 5, seed)
    expected = reference.scores(graph, images)
    for model in models(graph, folder):
        scores = model.scores(images)
        assert scores.dtype == np.int32
        np.testing.assert_array_equal(scores, expected, err_msg=model.path.name)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_network_of_a_boards_size(folder: Path, bits: int) -> None:
    graph = large_graph(bits)
    images = random_images(graph, 12)
    expected = reference.scores(graph, images)
    for model in models(graph, folder):
        np.testing.assert_array_equal(model.scores(images), expected, err_msg=model.path.name)
    for model in models(with_wrong_weight(graph), folder):
        assert not np.array_equal(model.scores(images), expected), model.path.name


def test_its_spikes_are_the_reference_s(folder: Path) -> None:
    graph = large_graph()
    images = random_images(graph, 2)
    (trace,) = reference.traces(graph, images)
    for model in models(graph, folder):
        found = model.spikes(images, list(trace.spikes), graph.time_steps)
        for node, spikes in trace.spikes.items():
            np.testing.assert_array_equal(found[node], spikes, err_msg=node)


def test_float16_is_close_and_not_the_same(folder: Path) -> None:
    graph = large_graph()
    images = random_images(graph, 12)
    wanted = graph.values(reference.scores(graph, images))
    found = models(graph, folder)[0].values_in_float16(images)
    assert np.isfinite(found).all() and (found != wanted).any()
    assert np.abs(found - wanted).mean() < np.abs(wanted - wanted.mean()).mean() / 4
    assert (found == found.astype(np.float16)).all(), "what comes out is rounded too"


def test_a_value_that_is_no_score_is_told(folder: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2)
    path = tensorrt.export(graph, ORIN, folder)[0]
    built = onnx.load(path)
    (bias,) = (tensor for tensor in built.graph.initializer if tensor.name == "head.bias")
    changed = onnx.numpy_helper.to_array(bias) + np.float32(2.0 ** -(graph.head.exponent or 0)) / 4
    bias.CopyFrom(onnx.numpy_helper.from_array(changed.astype(np.float32), bias.name))
    onnx.save(built, path)
    assert (TensorrtModel(path).scores(images) == NO_INTEGER).all()


def test_the_wrong_form_is_named(folder: Path) -> None:
    graph = random_graph(2)
    path = tensorrt.export(graph, ORIN, folder)[0]
    with pytest.raises(InputError, match="is the tensorrt form of a network, not the unrolled form"):
        OnnxRuntime(path)
    unrolled, _ = exporters.onnx.export(graph, ORIN, folder)
    with pytest.raises(InputError, match="is the unrolled form of a network, not the tensorrt form"):
        TensorrtModel(unrolled)


def test_foreign_ends_and_exponents_are_refused(folder: Path) -> None:
    path = tensorrt.export(random_graph(2), ORIN, folder)[0]
    untouched = path.read_bytes()
    built = onnx.load_from_string(untouched)
    built.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    onnx.save(built, path)
    with pytest.raises(InputError, match="other inputs or outputs"):
        TensorrtModel(path)
    built = onnx.load_from_string(untouched)
    built.graph.output.append(helper.make_tensor_value_info("stem.0.rounded", TensorProto.FLOAT, None))
    onnx.save(built, path)
    with pytest.raises(InputError):
        TensorrtModel(path)
    built = onnx.load_from_string(untouched)
    (exponent,) = (entry for entry in built.metadata_props if entry.key == "spikenas.score_exponent")
    exponent.value = str(10**30)
    onnx.save(built, path)
    with pytest.raises(InputError, match="exponent of scores is beyond 64"):
        TensorrtModel(path)


def test_images_of_another_shape_are_refused(folder: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 2)
    for model in models(graph, folder):
        for use in (model.scores, model.values_in_float16):
            with pytest.raises(InputError, match="takes images uint8"):
                use(images[:, :, :-1])
