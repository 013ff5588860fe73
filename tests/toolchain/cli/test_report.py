from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cli.main import main
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings

LINE = "t2 leak2 reset-subtract stem8/2 003000 head-count"


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def searched(name: str) -> RunFolder:
    run = runs.create(Path("runs") / name, profiles.load("stm32f405"), RunSettings())
    save_architecture(parse(LINE), run.architecture)
    return run


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_newest_run_has_its_page_in_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    run = searched("one")
    assert main(["report"]) == 0
    assert capsys.readouterr().out == f"{run.page}\n"
    assert LINE in run.page.read_text()


def test_json_and_markdown_come_beside_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    run = searched("one")
    assert main(["report", str(run.path), "--json"]) == 0
    document = printed(capsys)
    assert (document["schema"], document["run"], document["state"]) == (
        "spikenas-report/1",
        "one",
        "searched",
    )
    assert main(["report", str(run.path), "--markdown", "--out", "mine.html"]) == 0
    text = capsys.readouterr().out
    assert "### Not there yet" in text and "spikenas-deploy train runs/one" in text
    assert Path("mine.html").is_file() and run.page.is_file()


def test_runs_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(searched(name).path) for name in ("one", "two")]
    assert main(["report", "--compare", *names]) == 0
    assert capsys.readouterr().out == "comparison.html\n"
    assert main(["report", "--compare", *names, "--json"]) == 0
    document = printed(capsys)
    assert document["schema"] == "spikenas-report-comparison/1"
    assert [run["run"] for run in document["runs"]] == ["one", "two"]
    assert main(["report", *names, "--compare", "--markdown"]) == 0
    assert "| 1. one | 2. two |" in capsys.readouterr().out.replace("  ", " ")


@pytest.mark.parametrize("arguments", [["--compare", "runs/one"], ["runs/one", "runs/one"]])
def test_one_run_or_several_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    searched("one")
    assert main(["report", *arguments]) == 2
    assert "--compare" in capsys.readouterr().err


def test_what_is_no_page_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    run = searched("one")
    before = run.settings_file.read_bytes()
    assert main(["report", str(run.path), "--out", str(run.settings_file)]) == 3
    assert "is no report" in capsys.readouterr().err
    assert run.settings_file.read_bytes() == before


def test_a_folder_that_is_no_run_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "nowhere"]) == 3
    assert capsys.readouterr().err.count("\n") == 1
