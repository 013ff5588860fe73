"""``deploy`` on a few digits: settings flow from one stage to the next, and the end has the right exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exporters.c import compilers
from tests.toolchain.search.short import short_trainings
from toolchain import delivery
from toolchain.cli.main import main
from toolchain.errors import ToolMissingError

SMALL = ("--limit", "150", "--latency", "2ms", "--workers", "1", "--epochs", "2")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with short_trainings():
        yield


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
        "report.html",
    }


def test_nothing_fits_says_what_binds_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--profile", "stm32f405", "--flash", "2KiB", "--out", "run", "--json"]) == 4
    assert "flash" in document(capsys)["error"]["message"]
    assert not Path("run").exists()


def test_a_missing_compiler_or_emulator_ends_it_before_the_search(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object) -> None:
        raise ToolMissingError("not installed")

    for room, name in ((delivery.emulator, "import_unicorn"), (compilers, "arm_command")):
        monkeypatch.setattr(room, name, absent)
        assert main(["deploy", "--profile", "stm32f405", *SMALL]) == 6
        assert capsys.readouterr().err == "error: not installed\n"
        assert not list(Path().iterdir())


def test_an_interruption_says_how_to_go_on_from_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    deploy = ["deploy", "--profile", "raspberry_pi_4b", *SMALL, "--format", "onnx", "--format", "tflite"]
    # From the last stage to the first: each is reached while those before it still work.
    for stage, out, command in (
        ("toolchain.reporting.publishing.publish", "d", "report d"),
        ("toolchain.delivery.verify_run", "a", "export a --format onnx --format tflite"),
        ("toolchain.training.run.train_run", "b", "train b"),
        ("toolchain.search.search.search", "c", "search --resume c"),
    ):
        monkeypatch.setattr(stage, interrupted)
        assert main([*deploy, "--out", out]) == 130
        assert f"with: spikenas-deploy {command}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--data", "nowhere", "nowhere"),
        ("--profile", "stm32f40", "stm32f405"),
        ("--time-budget", "soon", "soon"),
        ("--flash", "lots", "lots"),
        ("--format", "tfile", "no exporter writes the format 'tfile'"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_leaves_nothing(
    option: str, value: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--profile", "stm32f405", option, value]) == 3
    error = capsys.readouterr().err
    assert says in error and error.count("error:") == 1
    assert not list(Path().iterdir())
