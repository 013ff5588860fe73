"""From recordings of an event camera to verified artifacts, with networks that see a frame each time step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import write_dvs_gesture, write_n_mnist
from tests.toolchain.search.short import short_trainings
from toolchain.cli.main import main
from toolchain.graph.storage import load_graph
from toolchain.runs import RunFolder

SHORT = "--algorithm random --workers 1 --epochs 60 --samples 4 --out run --json".split()


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with short_trainings():
        yield


def deployed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["deploy", *arguments, *SHORT]) == 0
    return json.loads(capsys.readouterr().out)


def test_gestures_become_firmware(
    require_package: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    require_package("ziglang")
    require_package("unicorn")
    write_dvs_gesture(Path("gestures"))
    options = ("--data", "gestures", "--size", "12", "--frames", "2", "--latency", "6ms")
    verdict = deployed(capsys, "--profile", "stm32f405", *options)
    (row,) = verdict["comparisons"]
    assert verdict["passed"] and (row["artifact"], row["images"], row["differing"]) == ("firmware.elf", 4, 0)
    graph, run = load_graph(Path("run")), RunFolder(Path("run"))
    assert graph.time_steps == graph.input.frames == run.settings().data.frames == 2
    assert graph.input.extents == (2, 2, 12, 12) and len(graph.labels) == 11
    assert verdict["operations"]["effective_acs"] > 0
    header = Path("run/artifacts/c/net.h").read_text()
    assert "#define NET_WINDOW_US 500000u" in header and f"NET_IMAGE_BYTES {4 * 144}u" in header


def test_digits_of_a_moving_camera_become_files_for_linux(
    require_package: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    require_package("tonic")
    write_n_mnist(Path("n-mnist"))
    options = ("--data", "n-mnist", "--size", "10", "--frames", "3", "--latency", "1ms")
    verdict = deployed(capsys, "--profile", "raspberry_pi_4b", *options)
    assert verdict["passed"]
    found = {row["artifact"]: row["differing"] for row in verdict["comparisons"]}
    assert found == {"model.onnx": 0, "model_step.onnx": 0, "model.tflite": 0}
    # Neurons fire, so what agrees is not nothing.
    assert verdict["operations"]["effective_acs"] > 0


def test_frames_of_images_and_networks_of_one_image_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--profile", "stm32f405", "--frames", "2"]) == 3
    assert "has images, not events" in capsys.readouterr().err
    write_dvs_gesture(Path("gestures"))
    arguments = ["search", "--profile", "raspberry_pi_4b", "--data", "gestures", "--algorithm", "snasnet"]
    assert main([*arguments, "--size", "32"]) == 3
    assert "see one image, not a frame each time step" in capsys.readouterr().err
    assert not Path("run").exists() and not Path("runs").exists()
