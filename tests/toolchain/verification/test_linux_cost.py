from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exporters.base import exporter
from tests.support.graphs import random_graph, random_images
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.verification.linux_cost import measure, this_machine
from toolchain.verification.runtimes import tflite

GRAPH = random_graph(2)
IMAGES = random_images(GRAPH, 5)


def test_costs_of_both_formats(tmp_path: Path) -> None:
    board = load("raspberry_pi_4b")
    models = [exporter(name).export(GRAPH, board, tmp_path)[0] for name in ("onnx", "tflite")]
    for path, runtime in zip(models, ("onnxruntime", tflite.available()[0]), strict=True):
        cost = measure(path, runtime, IMAGES)
        assert 0 < cost.latency_us <= cost.latency_p95_us < 1_000_000
        assert (cost.artifact, cost.runtime) == (path.name, runtime.replace("_", "-"))
        assert cost.where == this_machine() and cost.evidence == "measured"
        if sys.platform == "linux":
            assert cost.resident_bytes is not None and 0 < cost.resident_bytes < 256 * 1024 * 1024


def test_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="model.onnx cannot be measured: "):
        measure(path, "onnxruntime", IMAGES)


def test_machine_is_named() -> None:
    assert this_machine().startswith("on this machine (") and this_machine().endswith("not the board")
