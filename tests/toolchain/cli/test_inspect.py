"""The verb ``inspect``, through the command line's own entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporters.base import exporter
from tests.support.graphs import random_graph
from tests.support.models import foreign_onnx, written
from toolchain import runs
from toolchain.cli.main import main
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.runs import RunSettings

GRAPH = random_graph(2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    board = load("raspberry_pi_4b")
    made = runs.create(tmp_path_factory.mktemp("inspect") / "run", board, RunSettings())
    made.architecture.write_text("{}")
    save_graph(GRAPH, made.path)
    for name in board.default_formats:
        exporter(name).export(GRAPH, board, made.artifacts)
    return made.path


def inspect(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_file_as_tables(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, err = inspect(capsys, run / "artifacts" / "model_step.onnx")
    assert (code, err) == (0, "")
    for word in (
        "image",
        "scores",
        "potential",
        "Conv",
        "head.weight",
        "by kind",
        "graph_sha256",
        "thresholds",
    ):
        assert word in out


def test_a_run_has_its_network_and_every_artifact(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, _ = inspect(capsys, run, "--json")
    document = json.loads(out)
    assert code == 0 and document["schema"] == "spikenas-inspection/1"
    assert [Path(file["path"]).name for file in document["files"]] == [
        "model.json",
        "model.onnx",
        "model.tflite",
        "model_step.onnx",
    ]
    assert len({file["facts"]["graph_sha256"] for file in document["files"]}) == 1
    for file in document["files"]:
        assert sum(file["by_kind"].values()) == file["size_bytes"]


def test_the_newest_run_without_an_argument(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "one").symlink_to(run)
    monkeypatch.chdir(tmp_path)
    assert "model.tflite" in inspect(capsys)[1]


def test_all_tensors_and_markdown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = foreign_onnx()
    for index in range(30):
        model.graph.initializer.add().CopyFrom(model.graph.initializer[0])
        model.graph.initializer[-1].name = f"copy {index}"
    path = written(tmp_path, "foreign.onnx", model.SerializeToString())
    few = inspect(capsys, path, "--markdown")[1]
    assert "### Tensors: the 20 largest of 33" in few and few.count("copy ") == 20
    assert inspect(capsys, path, "--markdown", "--all")[1].count("copy ") == 30


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.onnx", "does not exist; give an artifact"),
        ("notes.txt", "is no artifact; give a file that ends in"),
        ("empty", "holds no network and no artifact"),
        ("pipe.onnx", "is not a file; check the path"),
        ("short.tflite", "has 3 bytes and is no model"),
    ],
)
def test_wrong_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "short.tflite").write_bytes(b"abc")
    os.mkfifo(tmp_path / "pipe.onnx")
    code, out, err = inspect(capsys, tmp_path / name)
    assert (code, out) == (3, "") and sentence in err and err.count("\n") == 1


def test_needs_nothing_heavy(run: Path) -> None:
    script = (
        "import sys; from toolchain.cli.main import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'snntorch', 'onnx', 'onnxruntime', 'tflite_runtime'} & set(sys.modules); "
        "sys.exit(code or (9 if heavy else 0))"
    )
    for name in ("model.onnx", "model.tflite"):
        command = [sys.executable, "-c", script, "inspect", str(run / "artifacts" / name)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
