"""A model that snnTorch trained on Fashion-MNIST, brought here: its accuracy in integers, its NIR file read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.accept.test_pipeline import spikenas
from tests.support.brought import net, training
from toolchain.datasets import load

pytestmark = pytest.mark.accept


def test_a_brought_model_keeps_its_accuracy(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = net.fashion()
    training.train(model, load("fashion_mnist").train.drawn(20_000, 0), epochs=2)
    save_file(model.state_dict(), tmp_path / "net.safetensors")
    given = (
        "import",
        f"{net.__file__}:fashion",
        "--weights",
        tmp_path / "net.safetensors",
        "--time-steps",
        "4",
    )
    given = (*given, "--data", "fashion_mnist", "--profile", "stm32f405")
    quantized = spikenas(*given, "--out", tmp_path / "run")
    tuned = spikenas(*given, "--out", tmp_path / "tuned", "--epochs", "1")
    original = quantized["original_test_accuracy"]
    assert quantized["test_images"] == 10_000 and original > 0.84
    assert quantized["test_accuracy"] >= original - 0.01
    assert tuned["test_accuracy"] >= original - 0.01

    verdict = spikenas("export", tmp_path / "run", "--format", "nir", "--format", "c")
    compared = {row["artifact"]: row for row in verdict["comparisons"]}
    assert (compared["model.nir"]["images"], compared["model.nir"]["differing"]) == (10_000, 0)
    assert all(row["differing"] == 0 for row in verdict["comparisons"])
    assert verdict["passed"]
