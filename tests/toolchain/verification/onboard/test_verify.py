"""``verify --host``: the run's own files in real runtimes behind a real sshd, and boards that fail or cheat."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from exporters.base import exporter
from tests.toolchain.cli.test_verify import network
from tests.toolchain.verification.onboard.conftest import PYTHON, Board
from toolchain import runs
from toolchain.cli.main import main
from toolchain.cost.footprint import footprint
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings
from toolchain.verification.verdict import read_verdict


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = runs.create(tmp_path_factory.mktemp("runs") / "pi", load("raspberry_pi_4b"), RunSettings())
    graph = network()
    save_graph(graph, run.path)
    for name in ("onnx", "tflite"):
        exporter(name).export(graph, run.profile(), run.artifacts)
    (run.artifacts / "model_step.onnx").unlink()
    return run


@pytest.fixture
def run(exported: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(exported.path, tmp_path / "run")))


def verify(run: RunFolder, board: Board, *more: str) -> int:
    return main(["verify", str(run.path), "--samples", "7", *board.arguments, *more])


def test_integers_time_and_memory_are_the_board_s(
    run: RunFolder, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = run.path / "my_pi.toml"
    assert verify(run, board, "--calibrate", str(mine)) == 0
    out = capsys.readouterr().out
    assert "passed for raspberry_pi_4b; also run on board" in out and "nothing here was measured" not in out
    verdict = read_verdict(run.report)
    there = {row.artifact: row for row in verdict.comparisons if row.runtime.endswith(" on board")}
    assert there.keys() == {"model.onnx", "model.tflite"}
    for row in there.values():
        assert (row.images, row.integers, row.differing, row.evidence) == (7, 70, 0, "measured")
    costs = {cost.artifact: cost for cost in verdict.costs if cost.where == "on board"}
    assert costs.keys() == there.keys()
    for cost in costs.values():
        assert 0 < cost.latency_us <= cost.latency_p95_us and (cost.resident_bytes or 0) > 100_000
    lines = [line for line in verdict.budget if line.note.endswith("on board")]
    assert [line.resource for line in lines] == ["resident memory", "latency"] * 2
    assert {line.evidence for line in lines} == {"measured"}
    (told,) = verdict.boards
    assert told.board == "board" and told.machine and told.evidence == "measured"
    assert board.left == []
    # The estimate of the slower of the two is what was measured, in the profile that was written.
    used = footprint(network(), load(mine), ["cpu", "linux"])
    assert used.latency_ms == pytest.approx(max(cost.latency_us for cost in costs.values()) / 1000)
    assert used.resident_bytes == max(cost.resident_bytes or 0 for cost in costs.values())


def test_a_profile_for_another_board_is_refused_at_once(run: RunFolder, board: Board) -> None:
    other = run.path / "jetson.toml"
    other.write_text('inherits = "jetson_nano"\n')
    board.program("mktemp", "exit 9")
    assert verify(run, board, "--calibrate", str(other)) == 3
    assert not run.report.exists()


CHEAT = """
import importlib.abc, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "onnxruntime":
            return None
        sys.meta_path.remove(self)
        import onnxruntime
        session, calls = onnxruntime.InferenceSession, []
        def run(self, *given):
            (scores,) = self.real_run(*given)
            calls.append(1)
            scores[0, 3] += len(calls) == 5
            return [scores]
        session.real_run, session.run = session.run, run
        return onnxruntime.__spec__
sys.meta_path.insert(0, Finder())
"""


def test_one_other_integer_on_the_board_fails(
    run: RunFolder, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.artifacts / "model.tflite").unlink()
    (board.programs / "sitecustomize.py").write_text(CHEAT)
    board.program("python3", f'PYTHONPATH={board.programs} exec "{PYTHON}" "$@"')
    mine = run.path / "my_pi.toml"
    assert verify(run, board, "--calibrate", str(mine), "--json") == 5
    document = json.loads(capsys.readouterr().out)
    differing = {row["runtime"]: row for row in document["comparisons"] if row["differing"]}
    (row,) = differing.values()
    assert row["artifact"] == "model.onnx" and row["runtime"].endswith("on board") and row["differing"] == 1
    assert (row["first"]["image"], row["first"]["label"]) == (4, "3")
    assert not mine.exists()


def test_a_file_that_is_changed_on_the_way_fails(
    run: RunFolder, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.artifacts / "model.tflite").unlink()
    folder = tmp_path / "bin"
    folder.mkdir()
    scp = folder / "scp"
    change = (
        f'for each in {board.temporary}/spikenas-*/model.onnx; do [ -f "$each" ] && printf x >> "$each"; done'
    )
    scp.write_text(f'#!/bin/bash\n/usr/bin/scp "$@" || exit\n{change}\ntrue\n')
    scp.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    assert verify(run, board) == 5
    failures = [failure.message for failure in read_verdict(run.report).failures]
    assert len(failures) == 1 and "model.onnx arrived on" in failures[0] and board.left == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (f'exec "{PYTHON}" -I -S "$@"', r"model.onnx needs numpy on \S+, whose python3 \(Python 3\."),
        (
            "echo python3: not found >&2; exit 127",
            "has no python3; on the board: `sudo apt-get install python3",
        ),
        ("echo False", r"is no Python 3.6 or newer"),
    ],
)
def test_a_missing_runtime_is_named_with_how_to_install_it(
    run: RunFolder, board: Board, capsys: pytest.CaptureFixture[str], body: str, sentence: str
) -> None:
    board.program("python3", body)
    assert verify(run, board) == 6
    assert re.search(sentence, capsys.readouterr().err)
    assert board.left == [] and not run.report.exists()


def test_a_runtime_that_is_missing_beside_another_is_told(run: RunFolder, board: Board) -> None:
    blocks = "import sys\nsys.modules.update(tflite_runtime=None, ai_edge_litert=None)\n"
    (board.programs / "sitecustomize.py").write_text(blocks)
    board.program("python3", f'PYTHONPATH={board.programs} exec "{PYTHON}" "$@"')
    assert verify(run, board) == 0
    verdict = read_verdict(run.report)
    assert [row.artifact for row in verdict.comparisons if row.runtime.endswith("on board")] == ["model.onnx"]
    (note,) = (note for note in verdict.notes if note.startswith("not run on board: model.tflite"))
    assert "`python3 -m pip install tflite-runtime 'numpy<2'`" in note


def test_a_board_that_breaks_while_it_runs(
    run: RunFolder, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board.program(
        "python3",
        f'[ "$2" = onnxruntime ] && {{ echo "Illegal instruction" >&2; exit 132; }}\nexec "{PYTHON}" "$@"',
    )
    assert verify(run, board) == 3
    assert "model.onnx cannot be run in onnxruntime on" in capsys.readouterr().err
    verdict = read_verdict(run.report)
    assert "Illegal instruction" in verdict.failures[0].message
    # The other file was run all the same.
    assert [row.artifact for row in verdict.comparisons if row.runtime.endswith("on board")] == [
        "model.tflite"
    ]
    assert board.left == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "-oProxyCommand=x"],
        ["--host", "pi@board", "--board-python", "python3; reboot"],
        ["--host", "pi@board", "--board-python", "venv/bin/python"],
    ],
)
def test_what_a_shell_could_misread_is_refused(run: RunFolder, arguments: list[str]) -> None:
    assert main(["verify", str(run.path), *arguments]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["--board-python", "python3"],
        ["--ssh-config", "x"],
        ["--calibrate", "mine.toml"],
        ["--host", "pi@board", "--serial", "/dev/ttyACM0"],
    ],
)
def test_options_that_do_not_go_together(run: RunFolder, arguments: list[str]) -> None:
    assert main(["verify", str(run.path), *arguments]) == 2


def test_a_microcontroller_has_no_ssh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(tmp_path / "run", load("stm32f405"), RunSettings())
    save_graph(network(), run.path)
    assert main(["verify", str(run.path), "--host", "pi@board"]) == 3
    assert "stm32f405 is a microcontroller" in capsys.readouterr().err
