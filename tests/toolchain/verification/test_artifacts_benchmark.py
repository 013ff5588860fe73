"""The benchmark of artifacts: its eager side is the same network, and every side is timed and weighed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import artifacts
from toolchain.graph.nodes import Shape

TINY = "t3 leak2 reset-subtract stem4/2 003000 head-count", Shape(1, 9, 9)


@pytest.mark.parametrize("head", ["head-count", "head-flatten"])
def test_the_eager_side_computes_the_float_network(head: str) -> None:
    """In one time step, in which snnTorch's rules are ours: every kind of edge, folded normalization, the head."""
    line = f"t1 leak2 reset-subtract stem8/1 314223 pool8 stride16 203401 {head}"
    torch.manual_seed(0)
    network, _ = artifacts.make_network(line, Shape(3, 12, 12))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
                module.running_var.uniform_(0.001, 0.01)  # type: ignore[union-attr]
        images = torch.randint(0, 256, (6, 3, 12, 12), dtype=torch.uint8)
        theirs, ours = artifacts.StepLoop(network)(images), network(images)
        # Folding rounds otherwise, so that a potential at its threshold may fall to the other side.
        same = torch.isclose(theirs, ours, atol=1e-5).all(1)
        assert same.sum() >= 5
        assert ours.std(0).max() > 0, "images differ"


def test_every_side_is_timed_and_every_file_weighed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(artifacts, "NETWORKS", (TINY,))
    monkeypatch.setattr(artifacts, "QUICK", 3)
    assert artifacts.main(["--quick", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (found,) = document["networks"]
    assert {"eager", "onnx", "onnx, step by step"} <= set(found["latency_ms"])
    assert all(0 < each["median"] <= each["p95"] for each in found["latency_ms"].values())
    assert found["speedup_vs_eager"] == max(found["speedups"].values()) == document["speedup_vs_eager"]
    assert "jetson_nano" in found["fits"]
    # Of a target's files the largest, which is what is predicted: of so small a network the one with int8 operators.
    names = [file["file"] for file in found["files"]]
    assert names == ["model.onnx", "model.tflite", "model_tensorrt_int8.onnx"]
    assert all(0 <= file["over_percent"] <= 3 for file in found["files"])
    assert artifacts.main(["--quick"]) == 0
    said = capsys.readouterr().out
    assert "times as fast as snnTorch's eager step loop" in said and "model_tensorrt_int8.onnx" in said


def test_other_scores_are_an_error() -> None:
    network, graph = artifacts.make_network(*TINY)
    images = np.random.default_rng(0).integers(0, 256, (2, *TINY[1])).astype(np.uint8)

    def wrong(image: Any) -> Any:
        return np.full((1, 10), 1 << 20, np.int32)

    with pytest.raises(RuntimeError, match="^ours: scores"):
        artifacts.require_exact(graph, {"ours": wrong}, images)
