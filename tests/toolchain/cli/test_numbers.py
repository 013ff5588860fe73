"""A drone's steering from end to end: numbers searched for, trained, exported and verified on both kinds of board."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.data import gates
from tests.toolchain.search.short import short_trainings
from toolchain.cli.main import main
from toolchain.graph import reference
from toolchain.graph.storage import load_graph

SIDE = 16


@pytest.fixture(autouse=True)
def in_a_folder_with_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def steering(numbers: int) -> None:
    """Write ``steering.npz`` with a test set of its own."""
    images, targets = gates(440, SIDE)
    labels = np.array(["offset", "brightness"][:numbers])
    targets = targets[:, :numbers]
    np.savez(
        "steering.npz",
        images=images[:400],
        targets=targets[:400],
        labels=labels,
        test_images=images[400:],
        test_targets=targets[400:],
    )


def deployed(capsys: pytest.CaptureFixture[str], board: str, *options: str) -> Any:
    command = ["deploy", "--profile", board, "--data", "steering.npz", "--workers", "1", "--out", "run"]
    with short_trainings():
        assert main([*command, "--samples", "6", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_number_in_firmware(require_package: Any, capsys: pytest.CaptureFixture[str]) -> None:
    require_package("ziglang")
    require_package("unicorn")
    steering(1)
    verdict = deployed(capsys, "stm32f405", "--latency", "2ms", "--epochs", "8")
    (row,) = verdict["comparisons"]
    assert (row["artifact"], row["images"], row["differing"], row["accuracy"]) == ("firmware.elf", 6, 0, None)
    training = json.loads(Path("run/training.json").read_text())
    assert training["task"] == "regression" and "test_accuracy" not in training
    # Half of what the offset varies by; the mean alone explains nothing.
    assert training["test_r2"] > 0.5 and training["differing_integers"] == 0
    (number,) = row["numbers"]
    assert number["label"] == "offset" and number["r2"] == number["reference_r2"]
    graph = load_graph(Path("run"))
    images, targets = gates(440, SIDE)
    values = graph.values(reference.scores(graph, images[400:406, None]))
    error = np.abs(values - targets[400:406, :1]).mean()
    assert number["mean_absolute_error"] == pytest.approx(error) and error < 0.4
    header = Path("run/artifacts/c/net.h").read_text()
    assert "#define NET_OUTPUTS 1u" in header and re.search(r"NET_VALUE_0\(scores\)", header)


def test_two_numbers_in_onnx_and_tflite(capsys: pytest.CaptureFixture[str]) -> None:
    steering(2)
    verdict = deployed(capsys, "raspberry_pi_4b", "--latency", "1ms", "--epochs", "4")
    artifacts = {row["artifact"] for row in verdict["comparisons"]}
    assert {"model.onnx", "model.tflite"} <= artifacts
    for row in verdict["comparisons"]:
        assert row["differing"] == 0 and [each["label"] for each in row["numbers"]] == [
            "offset",
            "brightness",
        ]
    found = json.loads(Path("run/search.json").read_text())
    assert found["task"] == "regression" and all(-1 <= each["r2"] <= 1 for each in found["trained"])
    for verb in (["search", "--front", "run"], ["verify", "run", "--samples", "3"], ["check", "run"]):
        assert main(verb) == 0
    printed = capsys.readouterr().out
    assert "brightness" in printed and "mean absolute error" in printed and " R2 " in printed
    assert "accuracy" not in printed and "class" not in printed
    assert main(["train", "run", "--epochs", "2"]) == 0
    assert "R2 (measured)" in capsys.readouterr().out
    assert main(["train", "run", "--epochs", "2", "--mirror"]) == 3
    assert "a mirrored image does not keep its numbers" in capsys.readouterr().err


def test_the_published_space_says_that_it_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    steering(1)
    command = ["search", "--profile", "jetson_nano", "--data", "steering.npz", "--algorithm", "snasnet"]
    assert main([*command, "--out", "run"]) == 3
    assert "tell classes, as those published do" in capsys.readouterr().err and not Path("run").exists()
