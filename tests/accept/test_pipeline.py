"""From data to verified firmware on whole test sets, through the command line, as a user would.

Each run leaves a row for the README's table in build/accept (`make readme`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolchain.cli.console import kib

pytestmark = pytest.mark.accept

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "accept"
FORMATS = ("--format", "c", "--format", "onnx", "--format", "tflite")


def spikenas(*arguments: str | Path) -> Any:
    """Run the command line with ``--json`` and return its document; a failing command fails the test with its words."""
    command = [sys.executable, "-m", "toolchain.cli.main", *map(str, arguments), "--json"]
    # The other tests are held to one core each; these measure what a user's machine does.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, f"{' '.join(command)} exited {done.returncode}:\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)


def delivered(run: Path, profile: str, data: list[str]) -> Any:
    """Search, train and export in every format; returns what training measured."""
    spikenas("search", "--profile", profile, *data, "--out", run)
    spikenas("export", run, *FORMATS, "--no-verify")
    return json.loads((run / "training.json").read_text())


def verdict_on_files(run: Path, training: Any) -> Any:
    """ONNX Runtime and the TFLite interpreter over the whole test set."""
    assert training["differing_integers"] == 0  # training's forward pass against the reference
    verdict = spikenas("verify", run)
    assert verdict["passed"], verdict["failures"]
    whole = {row["artifact"] for row in verdict["comparisons"] if row["images"] == training["test_images"]}
    assert {"model.onnx", "model.tflite"} <= whole
    assert all(row["differing"] == 0 for row in verdict["comparisons"])
    return verdict


def verdict_on_firmware(run: Path, images: int) -> None:
    """Both compilers' firmware in unicorn and in QEMU, fed through the mailbox."""
    verdict = spikenas("verify", run, "--samples", str(images), "--compiler", "both", "--qemu")
    assert verdict["passed"], verdict["failures"]
    firmware = [row for row in verdict["comparisons"] if row["artifact"].startswith("firmware")]
    seen = {(row["artifact"], row["runtime"].split()[0]) for row in firmware if row["images"] >= images}
    # zig's build is the exported firmware.elf, byte for byte, and is not run twice.
    assert seen == {
        (name, runtime) for name in ("firmware.elf", "firmware.elf (gcc)") for runtime in ("unicorn", "QEMU")
    }
    assert any("zig makes firmware.elf again, byte for byte" in note for note in verdict["notes"])
    assert all(row["differing"] == 0 for row in firmware)


def assert_near_float(training: Any) -> None:
    """Integers cost at most half a point, or three images."""
    lost = training["float_test_accuracy"] - training["test_accuracy"]
    assert lost <= max(0.005, 3 / training["test_images"]) + 1e-9


def keep_row(name: str, data: str, training: Any, verdict: Any) -> None:
    """Leave a row for the README's table."""
    report = next(item for item in verdict["firmware"] if item["artifact"] == "firmware.elf")
    used = {line["resource"]: line for line in verdict["budget"] if line["artifact"] == "firmware.elf"}
    RESULTS.mkdir(parents=True, exist_ok=True)
    row = {
        "board": verdict["profile"],
        "data": f"{data}, {training['test_images']:,} test images",
        "test accuracy": f"{training['test_accuracy']:.2%} (float {training['float_test_accuracy']:.2%})",
        "flash": f"{kib(used['flash']['used'])} of {kib(used['flash']['available'])}",
        "SRAM": f"{kib(used['sram']['used'])} of {kib(used['sram']['available'])}",
        "instructions": f"{sum(report['instructions']) // len(report['instructions']):,} an image",
        "evidence": "accuracy measured here; integers, memory and instructions on an emulated Cortex-M4",
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(row, indent=2) + "\n")


def test_digits_on_an_stm32f405(tmp_path: Path) -> None:
    run = tmp_path / "digits"
    training = delivered(run, "stm32f405", [])
    verdict = verdict_on_files(run, training)
    verdict_on_firmware(run, training["test_images"])
    assert_near_float(training)
    assert training["test_accuracy"] >= 0.98
    keep_row("digits", "digits (UCI, 16x16)", training, verdict)


def test_fashion_mnist_on_an_stm32f405(tmp_path: Path, fashion_mnist: Path) -> None:
    run = tmp_path / "fashion"
    training = delivered(run, "stm32f405", ["--data", str(fashion_mnist)])
    verdict = verdict_on_files(run, training)
    verdict_on_firmware(run, 500)
    assert_near_float(training)
    assert training["test_accuracy"] >= 0.88
    keep_row("fashion", "Fashion-MNIST (28x28)", training, verdict)
