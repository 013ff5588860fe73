"""Every artifact over the whole Fashion-MNIST test set: no integer differs from the reference, in any runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.accept.test_pipeline import spikenas
from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.settings import DataSettings, RunSettings

pytestmark = pytest.mark.accept

NETWORK = "t2 leak2 reset-subtract stem8/2 003000 stride16 103000 head-count"
TARGETS = ("cpu", "tensorrt", "linux", "micro", "nir")


def test_no_integer_differs_in_any_runtime(tmp_path: Path) -> None:
    settings = RunSettings(data=DataSettings(source="fashion_mnist"))
    run = runs.create(tmp_path / "run", profiles.load("jetson_orin_nano"), settings)
    save_architecture(parse(NETWORK), run.architecture)
    training = spikenas("train", run.path, "--epochs", "4")
    targets = [word for target in TARGETS for word in ("--target", target)]
    spikenas("export", run.path, *targets, "--no-verify")
    verdict = spikenas("verify", run.path, "--samples", str(training["test_images"]))
    assert verdict["passed"], verdict["failures"]
    rows = verdict["comparisons"]
    assert all(row["images"] == training["test_images"] and row["differing"] == 0 for row in rows)
    names = {row["artifact"] for row in rows}
    assert names >= {
        "model.onnx", "model_step.onnx", "model_tensorrt.onnx", "model_tensorrt_int8.onnx",
        "model.tflite", "model_micro.tflite", "model_micro_step.tflite", "model.nir",
    }  # fmt: skip
    runtimes = {row["runtime"].split()[0] for row in rows if row["artifact"] == "model.tflite"}
    assert runtimes >= {"tflite-runtime", "ai-edge-litert"}
