"""The verb ``train``, on the architecture that a short search found for a few digits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from toolchain.cli.main import main

SEARCH = ("search", "--profile", "jetson_nano", "--limit", "150", "--time-budget", "1s", "--no-train")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("train") / "run"
    assert main([*SEARCH, "--epochs", "2", "--out", str(run)]) == 0
    return run


@pytest.fixture(autouse=True)
def in_folder_of_run(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(searched, "run")


def test_json_is_one_document_of_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    kept = json.loads(Path("run/training.json").read_text())
    assert document["run"] == "run" and document["is_demonstration"]
    assert document["test_accuracy"] == kept["test_accuracy"] and 0 < document["test_accuracy"] <= 1


def test_training_again_makes_an_export_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "run", "--seed", "1"]) == 0
    assert main(["export", "run", "--no-verify"]) == 0
    assert main(["train", "run", "--seed", "2", "--epochs", "2"]) == 0
    text = capsys.readouterr().out
    assert "demonstration" in text and "next: spikenas-deploy export run" in text
    assert main(["verify", "run", "--samples", "2"]) != 0
    assert "another network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 3, "there is no run under runs/"),
        (("nowhere",), 3, "nowhere is not a run folder"),
        (("run", "--time-budget", "soon"), 3, "is no duration"),
        (("run", "--epochs", "0"), 2, "--epochs"),
        (("run", "--seed", "-1"), 2, "--seed"),
    ],
)
def test_wrong_input_is_one_sentence_and_trains_nothing(
    arguments: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == code
    printed = capsys.readouterr()
    assert says in printed.err and printed.out == ""
    assert not Path("run/model.json").exists()


def test_a_run_whose_search_did_not_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run/architecture.json").unlink()
    assert main(["train", "run"]) == 3
    assert "its search did not end" in capsys.readouterr().err


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_training_that_did_not_end_is_not_lost_by_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("toolchain.training.progress.Reporter.epoch_ended", interrupted)
        assert main(["train", "run", "--seed", "7"]) == 130
    assert capsys.readouterr().err.endswith("\ninterrupted; go on with: spikenas-deploy train --resume run\n")
    assert main(["train", "run"]) == 3
    assert "go on with it: spikenas-deploy train --resume run" in capsys.readouterr().err
    for option in ("--resume", "--no-resume"):
        shutil.copytree("run", option)
    assert main(["train", "--resume", "--epochs", "3", "run"]) == 2
    assert "goes on as the training was begun" in capsys.readouterr().err
    for options, seed in ((["--resume"], 7), (["--no-resume", "--seed", "8"], 8)):
        assert main(["train", *options, "--json", "--", options[0]]) == 0
        assert json.loads(capsys.readouterr().out)["seed"] == seed
