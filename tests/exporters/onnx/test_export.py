from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

import exporters.onnx
from exporters.base import exporter
from exporters.onnx import read
from exporters.onnx.lowering import MIN_OPSET
from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.profiles.catalog import available, load
from toolchain.profiles.schema import Profile

LINUX = [name for name in available() if load(name).runtime is not None]


def changed(**changes: int) -> Profile:
    profile = load("jetson_nano")
    assert profile.runtime is not None
    return profile.model_copy(update={"runtime": profile.runtime.model_copy(update=changes)})


@pytest.mark.parametrize("name", LINUX)
def test_files_keep_to_the_profile(name: str, tmp_path: Path) -> None:
    graph, profile = random_graph(11), load(name)
    paths = exporter("onnx").export(graph, profile, tmp_path)
    assert paths == [tmp_path / "model.onnx", tmp_path / "model_step.onnx"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert profile.runtime is not None
    for path, form in zip(paths, ("unrolled", "step"), strict=True):
        model = onnx.load(path)
        assert model.opset_import[0].version == profile.runtime.onnx_opset
        assert model.ir_version == profile.runtime.onnx_ir_version
        facts = read.facts(path)
        assert facts["graph_sha256"] == graph.sha256() and facts["profile"] == name and facts["form"] == form


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [
        path.read_bytes() for path in exporters.onnx.export(random_graph(4), load("jetson_nano"), tmp_path)
    ]
    second = [
        path.read_bytes() for path in exporters.onnx.export(random_graph(4), load("jetson_nano"), tmp_path)
    ]
    assert first == second


@pytest.mark.parametrize("profile", [changed(onnx_opset=12), changed(onnx_ir_version=6)])
def test_a_runtime_that_is_too_old_is_refused(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"jetson_nano loads ONNX opset 1[25], IR [67]; this needs opset 13, IR 7"
    ):
        exporters.onnx.export(random_graph(1), profile, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("profile", [changed(onnx_opset=999), changed(onnx_ir_version=99)])
def test_a_runtime_newer_than_the_onnx_package_is_refused(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"asks for ONNX opset (999, IR 7|15, IR 99).*pip install --upgrade onnx"
    ):
        exporters.onnx.export(random_graph(1), profile, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_microcontroller_s_network_gets_the_oldest_form_for_desktops(tmp_path: Path) -> None:
    path, _ = exporters.onnx.export(random_graph(1), load("stm32f405"), tmp_path)
    model = onnx.load(path)
    assert (model.opset_import[0].version, model.ir_version) == (MIN_OPSET, exporters.onnx.MIN_IR_VERSION)


def test_an_untrained_network_is_refused(tmp_path: Path) -> None:
    graph = random_graph(1)
    head = replace(graph.head, weight=None)
    untrained = replace(graph, nodes=(*graph.nodes[:-1], head))
    with pytest.raises(InputError, match="no trained weights"):
        exporters.onnx.export(untrained, load("jetson_nano"), tmp_path)
    assert not list(tmp_path.iterdir())
