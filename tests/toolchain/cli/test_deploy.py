"""The verbs in a row, on a few digits: settings flow from one to the next, and the end has the right exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolchain.cli.main import main

SMALL = ("--limit", "150", "--epochs", "2", "--time-budget", "2s")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_deploy_ends_in_a_verified_image(require_package: Any, capsys: pytest.CaptureFixture[str]) -> None:
    require_package("ziglang")
    require_package("unicorn")
    arguments = ["deploy", "--profile", "stm32f405", *SMALL, "--samples", "4", "--out", "run", "--json"]
    assert main(arguments) == 0
    verdict = document(capsys)
    assert verdict["passed"] and verdict["run"] == "run"
    (row,) = verdict["comparisons"]
    assert (row["artifact"], row["images"], row["differing"]) == ("firmware.elf", 4, 0)
    names = {path.name for path in Path("run").iterdir()}
    assert names >= {
        "run.toml",
        "search.jsonl",
        "architecture.json",
        "model.json",
        "training.json",
        "report.json",
    }


def test_search_then_export_need_no_other_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--profile", "jetson_nano", *SMALL, "--flash", "1MiB", "--json"]) == 3
    assert "flash" in document(capsys)["error"]["message"]
    assert main(["search", "--profile", "jetson_nano", *SMALL]) == 0
    assert main(["export", "--samples", "5"]) == 0
    output = capsys.readouterr().out
    assert "model.onnx" in output and "passed for jetson_nano" in output


def test_training_again_makes_an_export_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--profile", "jetson_nano", *SMALL, "--no-train", "--out", "run"]) == 0
    assert main(["export", "run"]) == 3
    assert "run `spikenas-deploy train run` first" in capsys.readouterr().err
    assert main(["train", "run", "--seed", "1"]) == 0
    assert main(["export", "run", "--no-verify"]) == 0
    assert main(["train", "run", "--seed", "2", "--epochs", "2"]) == 0
    assert "demonstration" in capsys.readouterr().out
    assert main(["verify", "run", "--samples", "2"]) != 0
    assert "another network" in capsys.readouterr().err


def test_nothing_fits_says_what_binds_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--profile", "stm32f405", "--flash", "2KiB", "--out", "run", "--json"]) == 4
    assert "flash" in document(capsys)["error"]["message"]
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--data", "nowhere", "nowhere"),
        ("--profile", "stm32f40", "stm32f405"),
        ("--time-budget", "soon", "soon"),
        ("--flash", "lots", "lots"),
        ("--format", "tfile", "no exporter writes 'tfile'"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_leaves_nothing(
    option: str, value: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--profile", "stm32f405", option, value]) == 3
    error = capsys.readouterr().err
    assert says in error and error.count("error:") == 1
    assert not list(Path().iterdir())
