"""TensorFlow Lite Micro in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exporters.tflite import micro
from tests.support.graphs import random_graph, random_images
from tests.support.tflm import needs_tflm
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph import reference
from toolchain.profiles.catalog import load
from toolchain.verification.runtimes import tflm
from toolchain.verification.runtimes.tflm import TflmRuntime


def exported(folder: Path, framed: bool = False) -> list[Path]:
    return micro.export(random_graph(2, framed), load("stm32f405"), folder)


@needs_tflm
@pytest.mark.parametrize("framed", [False, True])
def test_both_forms_compute_the_integers_of_the_reference(framed: bool, tmp_path: Path) -> None:
    graph = random_graph(2, framed)
    images = random_images(graph, 4)
    expected = reference.scores(graph, images)
    for path, name in zip(exported(tmp_path, framed), ("", ", step by step"), strict=True):
        runtime = TflmRuntime(path)
        assert runtime.name.startswith("tflite-micro ") and runtime.name.endswith(name)
        assert runtime.evidence == "measured" and runtime.facts["graph_sha256"] == graph.sha256()
        np.testing.assert_array_equal(runtime.scores(images), expected)
        assert runtime.scores(images[:0]).shape == (0, graph.head.classes)
        with pytest.raises(InputError, match="takes images uint8"):
            runtime.scores(images[:, :, :-1])


@needs_tflm
def test_as_many_images_as_the_time_allows(tmp_path: Path) -> None:
    graph = random_graph(2)
    images = random_images(graph, 9)
    scores = TflmRuntime(exported(tmp_path)[0]).scores(images, seconds=0)
    np.testing.assert_array_equal(scores, reference.scores(graph, images)[:1])


@needs_tflm
def test_the_smallest_arena_and_one_less(tmp_path: Path) -> None:
    images = random_images(random_graph(2), 1)
    for path in exported(tmp_path):
        smallest = TflmRuntime(path).smallest_arena_bytes()
        assert TflmRuntime(path, smallest).scores(images).shape[0] == 1
        with pytest.raises(InputError, match="TensorFlow Lite Micro cannot run .*(arena|missing|alloc)"):
            TflmRuntime(path, smallest - 16).scores(images)


def test_without_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(tmp_path)[0]
    monkeypatch.setattr(tflm, "find_spec", lambda name: None)
    with pytest.raises(ToolMissingError, match=r"`pip install 'spikenas-deploy\[mcu\]'` has it, for Linux"):
        TflmRuntime(path)
