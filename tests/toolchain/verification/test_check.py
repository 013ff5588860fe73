from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import firmware
from tests.support.graphs import random_graph
from toolchain.cost.layout import layout
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.storage import save_graph
from toolchain.profiles.budget import budget
from toolchain.verification.check import check_file, check_run, examine
from toolchain.verification.subjects import Subject

BOARD = firmware.profile()
LIMITS = budget(BOARD)


def test_a_prediction_that_needs_numpy_is_noted_where_there_is_none(
    fixture_elf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.verification.check.find_spec", lambda name: None)
    save_graph(random_graph(2), tmp_path)
    with pytest.raises(ToolMissingError, match="has no artifact, and .* numpy is not installed"):
        examine(Subject(tmp_path, BOARD, LIMITS))
    (tmp_path / "artifacts").mkdir()
    shutil.copy(fixture_elf, tmp_path / "artifacts")
    found = examine(Subject(tmp_path, BOARD, LIMITS))
    assert {line.artifact for line in found.lines} == {"firmware.elf"}
    assert found.notes == [
        f"what {tmp_path} is predicted to take, its latency among it, was not looked at: numpy is not installed"
    ]


def test_run_has_lines_of_its_artifacts_and_a_prediction(fixture_elf: Path, tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "c").mkdir(parents=True)
    shutil.copy(fixture_elf, tmp_path / "artifacts")
    (tmp_path / "artifacts" / "firmware.bin").write_bytes(bytes(100))
    (tmp_path / "artifacts" / "notes.txt").write_text("not an artifact")
    graph = random_graph(2)
    save_graph(graph, tmp_path)
    lines = check_run(tmp_path, BOARD, LIMITS)
    assert [(line.artifact, line.resource, line.evidence) for line in lines] == [
        ("firmware.bin", "flash", "measured"),
        ("firmware.elf", "flash", "measured"),
        ("firmware.elf", "sram", "measured"),
        ("prediction", "flash", "estimated"),
        ("prediction", "sram", "estimated"),
    ]
    assert lines[-1].used == layout(graph, BOARD).sram_bytes


def test_empty_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no network and no artifact yet"):
        check_run(tmp_path, BOARD, LIMITS)


def test_unknown_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; give an artifact"):
        check_file(tmp_path / "model.onnx", BOARD, LIMITS)
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(InputError, match=r"is no artifact; give a file that ends in \.onnx"):
        check_file(tmp_path / "model.pt", BOARD, LIMITS)
