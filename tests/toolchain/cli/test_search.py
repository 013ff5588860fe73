from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.data import write_bars
from tests.toolchain.search.short import short_trainings
from toolchain.cli.main import main
from toolchain.graph.storage import load_graph
from toolchain.search.journal import read_journal

QUICK = ["--latency", "1ms", "--workers", "1"]
"""Small networks, in this process."""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    write_bars(Path("bars.npz"))
    with short_trainings():
        yield "bars.npz"


def search(*arguments: str, profile: str = "stm32f405") -> list[str]:
    return ["search", "--profile", profile, "--data", "bars.npz", *QUICK, *arguments]


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_search_ends_with_a_trained_network(capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--flash", "40KiB", "--synops", "1M", "--energy", "1mJ", "--epochs", "2", "--seed", "3"]
    assert main([*search(*more), "--out", "run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    graph = load_graph(Path("run"))
    assert graph.has_weights and document["run"] == "run" and not document["demonstration"]
    assert 0 <= document["training"]["test_accuracy"] <= 1
    assert read_journal(Path("run/search.jsonl"))[0]["settings"]["seed"] == 3
    limits = {line["limit"]: line["available"] for line in document["budget"]}
    assert limits["flash"] == 40 * 1024 and limits["operations"] == 10**6 and limits["energy"] == 1.0


def test_the_text_names_the_network_the_candidates_and_the_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*search("--no-train", profile="raspberry_pi_4b"), "--out", "run"]) == 0
    printed = capsys.readouterr()
    for words in ("reference", "chosen", "artifact", "network: t", "next: spikenas-deploy train run"):
        assert words in printed.out
    for words in ("sizes,", "scored all 7,012 cells", "rung 2 of 2", "best so far"):
        assert words in printed.err
    assert not Path("run/model.json").exists()


def test_the_front_is_shown_and_a_candidate_picked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*search("--no-train"), "--out", "run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["search", "--front", "run"]) == 0
    text = capsys.readouterr().out
    assert all(each["id"] in text for each in found["trained"])
    other = next(each for each in found["trained"] if not each["chosen"])
    pick = ["search", "--pick", other["id"], "run", "--out", "picked", "--no-train", "--json"]
    assert main(pick) == 0
    picked = json.loads(capsys.readouterr().out)
    assert picked["architecture"] == other["architecture"] and picked["run"] == "picked"
    assert main(["search", "--resume", "picked", "--no-train", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == picked
    assert main(["search", "--pick", "zz", "run"]) == 3
    assert "no candidate 'zz'" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "told"), [("stm32f405", True), ("raspberry_pi_4b", False)])
def test_the_time_of_a_board_never_timed_is_called_an_estimate(
    capsys: pytest.CaptureFixture[str], name: str, told: bool
) -> None:
    assert main([*search("--dry-run", profile=name)]) == 0
    assert ("this board was never timed" in capsys.readouterr().out) == told


def test_a_dry_run_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    assert (
        main(["search", "--profile", "stm32f405", "--data", "bars.npz", "--flash", "30KiB", "--dry-run"]) == 0
    )
    text = capsys.readouterr().out
    assert "binding:" in text and "cells that fit" in text and "sizes fit" in text
    assert sorted(Path().iterdir()) == before


def test_without_data_everything_says_that_it_is_a_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["search", "--profile", "jetson_nano", *QUICK, "--no-train", "--out", "run"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "not a deployable model" in printed.out and "demonstration" in printed.err


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (["--flash", "1KiB"], 4, "misses flash by"),
        (["--latency", "1us"], 3, "is no duration"),
        (["--flash", ""], 3, "is no size"),
        (["--energy", "5"], 3, "is no energy"),
        (["--synops", "many"], 3, "is no count"),
        (["--synops", "10"], 4, "misses operations by"),
        (["--resident", "1MiB"], 3, "does not apply to stm32f405"),
        (["--time-budget", "60"], 3, "is no duration"),
        (["--artifact", "1MiB"], 3, "does not apply to stm32f405"),
        (["--flash", "1GiB"], 3, "'1GiB'"),
        (["--data", "absent"], 3, "absent does not exist"),
        (["--channels", "blue"], 2, "'blue' is not one of"),
        (["--algorithm", "magic"], 2, "'magic' is not one of"),
        (["--workers", "0"], 2, "greater than or equal to 1"),
        (["--profile", "stm32f406"], 3, "no profile is called"),
        (["--out", "."], 3, "is not empty"),
        (["run"], 2, "--resume"),
        (["--resume", "--dry-run"], 2, "give one of"),
        (["--front", "--pick", "12"], 2, "give one of"),
    ],
)
def test_wrong_input_gets_a_sentence_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], changes: list[str], code: int, words: str
) -> None:
    before = sorted(Path().rglob("*"))
    assert main(search("--no-train", *changes)) == code
    printed = capsys.readouterr()
    assert words in printed.err and printed.out == ""
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("option", ["--resume", "--front", "--pick=1"])
def test_there_is_no_run(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for named, words in (([], "no run under"), (["absent"], "absent is not a run folder")):
        assert main(["search", option, *named]) == 3
        assert words in capsys.readouterr().err


def test_a_profile_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search"]) == 2
    assert "--profile" in capsys.readouterr().err


def test_an_interrupted_search_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("toolchain.search.search.search", interrupted)
        assert main([*search("--no-train"), "--out", "run"]) == 130
    command = "search --resume run"
    assert f"interrupted; go on with: spikenas-deploy {command}\n" in capsys.readouterr().err
    assert main([*shlex.split(command), "--workers", "1", "--no-train"]) == 0
    assert "chosen" in capsys.readouterr().out


def test_interrupted_training_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.training.run.train_run", interrupted)
    assert main([*search(), "--out", "run"]) == 130
    assert "spikenas-deploy train run" in capsys.readouterr().err
    assert Path("run/architecture.json").exists()


def test_help_answers_without_torch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--help"]) == 0
    text: Any = capsys.readouterr().out
    for option in ("--resume", "--front", "--pick", "--algorithm", "--ray", "--workers"):
        assert option in text


def test_a_budget_is_held_on_the_artifact_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["search", "--profile", "stm32f405", "--limit", "60", "--dry-run", "--json"]
    used = {}
    for target in ("firmware", "micro"):
        assert main([*asked, "--target", target]) == 0
        used[target] = json.loads(capsys.readouterr().out)["sizes"]["fit"]
    assert (
        used["micro"] < used["firmware"]
    )  # TensorFlow Lite Micro takes two bytes where the firmware takes bits
    assert main([*asked, "--target", "cpu"]) == 3
    assert "choose firmware or micro" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main([*asked, "--target", "micro", "--latency", "20ms"]) == 3
    assert "--latency and --energy cannot be held" in json.loads(capsys.readouterr().out)["error"]["message"]
