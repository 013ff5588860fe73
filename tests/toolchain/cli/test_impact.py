from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.data import write_bars
from tests.toolchain.search.pretend import pretend_work
from toolchain.cli.main import main
from toolchain.search.journal import read_journal

RUN = ["search", "--analyze-operations", "--profile", "stm32f405", "--data", "bars.npz", "--workers", "1"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Data to name on the command line, and trainings that take no time."""
    monkeypatch.chdir(tmp_path)
    write_bars(Path("bars.npz"))
    monkeypatch.setattr("toolchain.search.sitting.work", pretend_work)
    yield


def test_an_analysis_is_told_written_and_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--out", "run"]) == 0
    printed = capsys.readouterr()
    for words in (
        "without skip",
        "without conv1x1",
        "without conv3x3",
        "without avgpool3x3",
        "flash",
        "SRAM",
        "effective",
        "may go, all together, at no cost beyond the noise",
    ):
        assert words in printed.out
    written = json.loads(Path("run/impact.json").read_text())
    for file in ("impact.png", "impact.svg"):
        assert Path("run", file).stat().st_size > 5_000
    assert not Path("run/architecture.json").exists()
    assert read_journal(Path("run/search.jsonl"))[-1] == {
        "kind": "result",
        "default": written["default"],
    }
    assert main(["search", "--analyze-operations", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": "run"} | written


def test_an_interrupted_analysis_says_how_to_go_on_and_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def cut_short(problem: object, job: dict) -> dict:
        done.append(job)
        if len(done) == 9:
            raise KeyboardInterrupt
        return pretend_work(None, job)

    with monkeypatch.context() as patch:
        patch.setattr("toolchain.search.sitting.work", cut_short)
        assert main([*RUN, "--out", "run"]) == 130
    last = "interrupted; go on with: spikenas-deploy search --resume --analyze-operations run"
    assert last in capsys.readouterr().err
    before = read_journal(Path("run/search.jsonl"))
    assert main(["search", "--analyze-operations", "run"]) == 3
    assert last.partition("with: ")[2] in capsys.readouterr().err
    assert main(["search", "--resume", "--analyze-operations", "run", "--workers", "1"]) == 0
    after = read_journal(Path("run/search.jsonl"))
    assert len(before) == 9 and after[:9] == before and after[-1]["kind"] == "result"


def test_a_run_is_an_analysis_or_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--out", "run"]) == 0
    assert main(["search", "--resume", "run", "--workers", "1"]) == 3
    assert "search.jsonl belongs to a search with other algorithm" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", [["--front"], ["--pick", "ab"], ["--dry-run"], ["--algorithm", "random"], ["--bits", "4"]]
)
def test_what_does_not_go_together_is_a_usage_error(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*RUN, *more, "--out", "run"]) == 2
    assert "--analyze-operations chooses no network" in capsys.readouterr().err
    assert not Path("run").exists()


def test_an_analysis_needs_a_board(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--analyze-operations"]) == 2
    assert "which board?" in capsys.readouterr().err


def test_the_whole_time_budget_is_the_analysis_s() -> None:
    assert main([*RUN, "--time-budget", "10m", "--out", "run"]) == 0
    assert read_journal(Path("run/search.jsonl"))[0]["settings"]["time_budget_s"] == 600
