from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.support.data import bars
from toolchain.cli.main import main
from toolchain.graph.storage import load_graph
from toolchain.search.journal import read_journal


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    every = bars(150)
    images = np.concatenate([every.train.images, every.validation.images, every.test.images])
    targets = np.concatenate([every.train.targets, every.validation.targets, every.test.targets])
    np.savez("bars.npz", images=images, labels=targets)
    return "bars.npz"


def test_search_ends_with_a_trained_network(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "search",
        "--profile",
        "stm32f405",
        "--data",
        data,
        "--flash",
        "40KiB",
        "--time-budget",
        "1s",
    ]
    assert main([*arguments, "--epochs", "2", "--seed", "3", "--out", "run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    graph = load_graph(Path("run"))
    assert graph.has_weights and document["run"] == "run" and not document["demonstration"]
    assert 0 <= document["training"]["test_accuracy"] <= 1
    assert read_journal(Path("run/search.jsonl"))[0]["settings"]["seed"] == 3
    assert document["budget"][0]["available"] == 40 * 1024


def test_the_text_names_the_network_the_references_and_the_next_step(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "search",
        "--profile",
        "raspberry_pi_4b",
        "--data",
        data,
        "--time-budget",
        "1s",
        "--no-train",
    ]
    assert main([*arguments, "--out", "run"]) == 0
    text = capsys.readouterr().out
    for words in ("reference", "chosen", "artifact", "network: t", "next: spikenas-deploy train run"):
        assert words in text
    assert not Path("run/model.json").exists()


def test_a_dry_run_writes_nothing(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    arguments = ["search", "--profile", "stm32f405", "--data", data, "--flash", "30KiB", "--dry-run"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "binding: flash; the next larger size is t" in text and "of 1,753" in text
    assert sorted(Path().iterdir()) == before


def test_without_data_everything_says_that_it_is_a_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["search", "--profile", "jetson_nano", "--time-budget", "1s", "--no-train", "--out", "run"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "not a deployable model" in printed.out and "demonstration" in printed.err


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (["--flash", "1KiB"], 4, "misses flash by"),
        (["--latency", "1us"], 3, "is no duration"),
        (["--flash", ""], 3, "is no size"),
        (["--time-budget", "60"], 3, "is no duration"),
        (["--artifact", "1MiB"], 3, "does not apply to stm32f405"),
        (["--flash", "1GiB"], 3, "'1GiB'"),
        (["--data", "absent"], 3, "absent does not exist"),
        (["--channels", "blue"], 2, "'blue' is not one of"),
        (["--profile", "stm32f406"], 3, "no profile is called"),
        (["--out", "."], 3, "is not empty"),
    ],
)
def test_wrong_input_gets_a_sentence_and_leaves_nothing(
    data: str, capsys: pytest.CaptureFixture[str], changes: list[str], code: int, words: str
) -> None:
    before = sorted(Path().rglob("*"))
    assert main(["search", "--profile", "stm32f405", "--data", data, "--no-train", *changes]) == code
    printed = capsys.readouterr()
    assert words in printed.err and printed.out == ""
    assert sorted(Path().rglob("*")) == before


def test_a_profile_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search"]) == 2
    assert "--profile" in capsys.readouterr().err


def test_an_interrupted_search_says_where_it_was_and_how_to_start_again(
    data: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("toolchain.search.search.search", interrupted)
        arguments = [
            "search",
            "--profile=stm32f405",
            "--data",
            data,
            "--flash",
            "30 KiB",
            "--time-budget",
            "1s",
        ]
        assert main([*arguments, "--no-train", "--out", "run"]) == 130
    again = f"search --profile stm32f405 --data {data} --flash '30 KiB' --time-budget 1s --no-train"
    error = capsys.readouterr().err
    assert f"are in run/search.jsonl\nstart again with: spikenas-deploy {again}\n" in error
    assert main(shlex.split(again)) == 0


def test_interrupted_training_says_how_to_go_on(
    data: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolchain.training.run.train_run", interrupted)
    arguments = [
        "search",
        "--profile",
        "stm32f405",
        "--data",
        data,
        "--flash",
        "30KiB",
        "--time-budget",
        "1s",
    ]
    assert main([*arguments, "--out", "run"]) == 130
    assert "spikenas-deploy train run" in capsys.readouterr().err
    assert Path("run/architecture.json").exists()
