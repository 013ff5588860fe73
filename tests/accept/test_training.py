"""Fashion-MNIST within 96 KiB of weights, and the same network in half of its flash, through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.accept.test_pipeline import spikenas
from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cost.layout import layout
from toolchain.graph.storage import load_graph
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings

pytestmark = pytest.mark.accept

WEIGHTS_BYTES = 96 << 10
NETWORK = "t2 leak2 reset-subtract stem16/1 003000 stride48 003000 stride64 003000 head-count"
MANNER = ("--epochs", "20", "--mirror")


def weights_bytes(run: RunFolder) -> int:
    constants = layout(load_graph(run.path), run.profile()).constants
    return sum(constant.size_bytes for constant in constants if constant.kind == "weights")


def test_fashion_mnist_in_96_kib_and_in_half_the_flash(tmp_path: Path) -> None:
    settings = RunSettings(data=DataSettings(source="fashion_mnist"))
    run = runs.create(tmp_path / "whole", profiles.load("stm32h743"), settings)
    save_architecture(parse(NETWORK), run.architecture)
    whole = spikenas("train", run.path, *MANNER)
    assert weights_bytes(run) <= WEIGHTS_BYTES and set(whole["bits"].values()) == {8}
    assert whole["test_accuracy"] >= 0.92
    assert whole["float_test_accuracy"] - whole["test_accuracy"] <= 0.005

    half = RunFolder(tmp_path / "half")
    shutil.copytree(run.path, half.path)
    flash = layout(load_graph(run.path), run.profile()).flash_bytes // 2
    narrow = spikenas("train", half.path, *MANNER, "--flash", str(flash))
    assert layout(load_graph(half.path), half.profile()).flash_bytes <= flash
    assert min(narrow["bits"].values()) < 8 and narrow["differing_integers"] == 0
    assert narrow["float_test_accuracy"] - narrow["test_accuracy"] <= 0.015
    assert json.loads((half.path / "training.json").read_text())["bits"] == narrow["bits"]
