"""The verb ``export``, on a random network in place of a trained one; once on a run that was searched and trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from exporters.c import compilers
from tests.support.graphs import random_graph, random_images
from tests.toolchain.cli.test_verify import network
from toolchain import delivery, profiles, runs
from toolchain.cli.main import main
from toolchain.cost.layout import layout
from toolchain.datasets import Subset
from toolchain.errors import ToolMissingError
from toolchain.graph.storage import save_graph
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(board: str) -> None:
    run = runs.create(Path("run"), profiles.load(board), RunSettings())
    save_graph(random_graph(1), run.path)


def test_search_then_export_need_no_other_argument(capsys: pytest.CaptureFixture[str]) -> None:
    search = ["search", "--profile", "jetson_nano", "--limit", "150", "--epochs", "2", "--time-budget", "2s"]
    assert main([*search, "--flash", "1MiB", "--json"]) == 3
    assert "flash" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main(search) == 0
    assert main(["export", "--samples", "5"]) == 0
    output = capsys.readouterr().out
    assert "model.onnx" in output and "passed for jetson_nano" in output


def test_json_without_verifying_lists_the_artifacts(capsys: pytest.CaptureFixture[str]) -> None:
    trained("raspberry_pi_4b")
    formats = ("--format", "onnx", "--format", "tflite")
    assert main(["export", "run", *formats, "--json", "--no-verify"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run"] == "run" and all(Path(path).is_file() for path in document["artifacts"])
    assert {Path(path).name for path in document["artifacts"]} >= {"model.onnx", "model.tflite"}
    assert not Path("run/report.json").exists()


def test_a_page_that_is_there_is_drawn_again(capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(Path("run"), profiles.load("raspberry_pi_4b"), RunSettings())
    save_graph(network(), run.path)
    export = ["export", "run", "--format", "tflite", "--no-verify"]
    assert main(export) == 0 and not Path("run/report.html").exists()
    assert main(["report", "run", "--samples", "5"]) == 0
    assert "model.onnx" not in Path("run/report.html").read_text(encoding="utf-8")
    export[export.index("tflite")] = "onnx"
    assert main(export) == 0
    assert "model.onnx" in Path("run/report.html").read_text(encoding="utf-8")
    assert "drew run/report.html again" in capsys.readouterr().err


def test_an_untrained_run_is_told_to_train(capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(Path("run"), profiles.load("jetson_nano"), RunSettings())
    assert main(["export", "run"]) == 3
    assert "its search did not end" in capsys.readouterr().err
    run.architecture.write_text("{}")
    assert main(["export", "run"]) == 3
    assert "run `spikenas-deploy train run` first" in capsys.readouterr().err


def test_a_missing_tool_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object) -> None:
        raise ToolMissingError("not installed")

    trained("stm32f405")
    monkeypatch.setattr(compilers, "arm_command", lambda _: ("zig", ["zig"]))
    monkeypatch.setattr(delivery.emulator, "import_unicorn", absent)
    assert main(["export", "run"]) == 6
    monkeypatch.setattr(compilers, "arm_command", absent)
    assert main(["export", "run", "--no-verify"]) == 6
    assert capsys.readouterr().err == "error: not installed\n" * 2
    assert not Path("run/artifacts").exists()


def test_an_unknown_format_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    trained("jetson_nano")
    assert main(["export", "run", "--format", "pth"]) == 3
    assert "no exporter writes the format 'pth'" in capsys.readouterr().err
    assert main(["export", "run", "--samples", "0"]) == 2


def test_a_network_of_another_name_is_verified_under_it(
    capsys: pytest.CaptureFixture[str],
    require_package: Callable[[str], None],
) -> None:
    """Proofs, emulation and stack find the symbols by the image itself."""
    require_package("unicorn")
    require_package("ziglang")
    run = runs.create(Path("run"), profiles.load("stm32f405"), RunSettings())
    save_graph(network(), run.path)
    assert main(["export", "run", "--prefix", "eyes", "--samples", "2"]) == 0, capsys.readouterr().err
    sources = {path.name for path in Path("run/artifacts/c").iterdir()}
    assert {"eyes.h", "eyes.c", "eyes_preprocess.c"} <= sources and "net.h" not in sources
    assert main(["verify", "run", "--samples", "2"]) == 0
    assert json.loads(Path("run/manifest.json").read_text())["prefix"] == "eyes"


def test_sources_of_another_name_run_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(Path("run"), profiles.load("esp32s3"), RunSettings())
    save_graph(network(), run.path)
    assert main(["export", "run", "--prefix", "ears", "--samples", "2"]) == 0, capsys.readouterr().err
    changed = Path("run/artifacts/c/ears.c")
    changed.write_text(changed.read_text() + "\n")
    assert main(["verify", "run", "--samples", "2"]) != 0
    assert "ears.c is not what this version exports" in capsys.readouterr().err


def test_a_prefix_without_sources_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    trained("raspberry_pi_4b")
    assert main(["export", "run", "--format", "onnx", "--prefix", "eyes"]) == 3
    assert "add `--format c`" in capsys.readouterr().err
    assert main(["export", "run", "--format", "c", "--prefix", "stdint"]) == 3
    assert "cannot start the network's symbols" in capsys.readouterr().err


@pytest.fixture
def random_run(monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run whose network, and whose images, are random."""
    graph = random_graph(1)
    images = random_images(graph, 40)
    subset = Subset(images, np.zeros(len(images), np.int64))
    monkeypatch.setattr(RunFolder, "dataset", lambda _: SimpleNamespace(train=subset, test=subset))
    trained("esp32s3")
    return RunFolder(Path("run"))


def explained(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert main(["export", "run", "--samples", "2", "--explain", "--json"]) == 0, capsys.readouterr().err
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True
    return {layer["layer"]: layer for layer in document["kernels"]}


def test_an_explanation_tells_which_kernel_runs_each_layer(
    capsys: pytest.CaptureFixture[str], random_run: RunFolder
) -> None:
    assert main(["export", "run", "--no-verify", "--explain"]) == 0
    output = capsys.readouterr()
    assert "snn_rows.c" in output.out and "of the neurons fire in both of two time steps" in output.out
    assert "counting spikes" in output.err and "run/artifacts/c/spikes.json" in output.out
    layers = explained(capsys)
    shared = [layer for layer in layers.values() if layer["share"]]
    assert shared and all(0 < layer["both_rate"] < layer["spike_rate"] < 1 for layer in shared)  # type: ignore[operator]
    assert all(layer["shared_instructions"] < layer["apart_instructions"] for layer in shared)  # type: ignore[operator]
    assert layers["stem"]["function"] == "snn_pixel" and layers["stem"]["share"] is None


def test_a_network_passes_whichever_kernels_its_spikes_choose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, random_run: RunFolder
) -> None:
    source, counted = Path("run/artifacts/c/net.c"), delivery.calibrated
    assert {layer["share"] for layer in explained(capsys).values()} == {True, False, None}
    assert ".share = 1," in source.read_text() and ".share = 0," in source.read_text()
    manifest = json.loads(random_run.manifest.read_text())
    assert "artifacts/c/spikes.json" in manifest["artifacts"]

    def never_twice(*arguments: object) -> object:
        return {name: replace(each, shared=each.apart) for name, each in counted(*arguments).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "calibrated", never_twice)
    assert {layer["share"] for layer in explained(capsys).values()} == {False, None}
    assert ".share = 0," in source.read_text() and ".share = 1," not in source.read_text()
    # What was exported is verified by the spikes that were written down, and not by others.
    monkeypatch.setattr(delivery, "calibrated", counted)
    assert main(["verify", "run", "--samples", "2"]) == 0
    record = Path("run/artifacts/c/spikes.json")
    record.write_text(record.read_text().replace('"images": 32', '"images": 31'))
    source.write_text(source.read_text().replace(".share = 0,", ".share = 1,"))
    assert main(["verify", "run", "--samples", "2"]) == 3
    assert "net.c is not what this version exports" in capsys.readouterr().err


def test_without_its_images_a_network_gets_the_usual_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    trained("esp32s3")
    assert main(["export", "run", "--no-verify", "--explain"]) == 0
    output = capsys.readouterr()
    assert "no images to count spikes on, so layers get the kernel that is usually best" in output.err
    assert "no images to count spikes on: sharing pays in most trained layers" in output.out
    settings = RunSettings(data=DataSettings(source="gone.npz"))
    RunFolder(Path("run")).save_settings(settings)
    assert main(["export", "run", "--no-verify"]) == 0
    assert "gone.npz" in capsys.readouterr().err


def test_an_explanation_without_sources_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    trained("raspberry_pi_4b")
    assert main(["export", "run", "--format", "onnx", "--explain"]) == 3
    assert "an explanation tells of the kernels of C sources" in capsys.readouterr().err
    assert not Path("run/artifacts").exists()


def test_a_network_that_runs_by_steps_is_verified_as_such(
    capsys: pytest.CaptureFixture[str],
    require_package: Callable[[str], None],
) -> None:
    """Its memory is proven, and its prediction and its page tell of it; the next export forgets it."""
    require_package("unicorn")
    require_package("ziglang")
    run = runs.create(Path("run"), profiles.load("stm32f405"), RunSettings())
    save_graph(network(), run.path)
    assert main(["export", "run", "--schedule", "steps", "--samples", "2"]) == 0, capsys.readouterr().err
    assert "a stream may have " in capsys.readouterr().err and run.schedule() == "steps"
    (image,) = json.loads(run.report.read_text())["firmware"]
    arena = {proof["name"]: proof for proof in image["proofs"]}["arena"]
    planned = layout(network(), run.profile(), "steps")
    assert arena["predicted_bytes"] == arena["used_bytes"] == planned.arena_bytes
    assert planned.arena_bytes != layout(network(), run.profile()).arena_bytes
    assert main(["check", "run", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    predicted = [
        line["used"] for line in lines if line["artifact"] == "prediction" and line["resource"] == "sram"
    ]
    assert predicted == [planned.sram_bytes]
    assert main(["report", "run", "--samples", "2", "--json"]) == 0
    assert main(["export", "run", "--no-verify"]) == 0 and run.schedule() == "layers"


def test_sources_that_run_by_steps_run_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(Path("run"), profiles.load("esp32s3"), RunSettings())
    save_graph(network(), run.path)
    export = ["export", "run", "--schedule", "steps", "--samples", "2"]
    assert main(export) == 0, capsys.readouterr().err
    manifest = json.loads(run.manifest.read_text())
    run.manifest.write_text(json.dumps(manifest | {"schedule": "layers"}))
    assert main(["verify", "run", "--samples", "2"]) != 0
    assert "is not what this version exports" in capsys.readouterr().err
    run.manifest.write_text(json.dumps(manifest | {"schedule": "backwards"}))
    assert main(["verify", "run", "--samples", "2"]) == 3
    assert "asks for the schedule 'backwards'; there are layers and steps" in capsys.readouterr().err


def test_a_schedule_without_sources_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    trained("raspberry_pi_4b")
    assert main(["export", "run", "--format", "onnx", "--schedule", "steps"]) == 3
    assert "add `--format c`" in capsys.readouterr().err
    assert main(["export", "run", "--format", "c", "--schedule", "both"]) == 3
    assert "--schedule asks for the schedule 'both'; there are layers and steps" in capsys.readouterr().err
    assert main(["export", "run", "--format", "c", "--schedule", "steps", "--explain"]) == 3
    assert "each layer has one kernel" in capsys.readouterr().err
