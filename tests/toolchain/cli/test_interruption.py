"""Searches and trainings that signals end, in processes of their own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.kills import Command, outcome, unfinished
from tests.toolchain.search.short import short_trainings
from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cli.main import main
from toolchain.files import write_json
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings, TrainingSettings
from toolchain.training.interruption import noticed
from toolchain.training.run import train_run

NETWORK = "t2 leak2 reset-subtract stem8/2 003000 head-count"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with a network that trains for some seconds."""
    settings = RunSettings(data=DataSettings(limit=400), training=TrainingSettings(epochs=20))
    folder = runs.create(tmp_path / "my run", profiles.load("stm32f405"), settings)
    save_architecture(parse(NETWORK), folder.architecture)
    write_json(folder.search, {})
    return folder


def printed_command(said: str) -> list[str]:
    """The arguments of the command that goes on, as it was printed."""
    line = next(line for line in said.splitlines() if line.startswith("interrupted; go on with: "))
    program, *arguments = shlex.split(line.removeprefix("interrupted; go on with: "))
    assert program == "spikenas-deploy"
    return arguments


def test_an_interrupted_training_goes_on_to_the_same_network(run: RunFolder, tmp_path: Path) -> None:
    whole = RunFolder(tmp_path / "whole")
    shutil.copytree(run.path, whole.path)
    train_run(whole, progress=lambda message: None)

    interrupted = Command(tmp_path, "train", "my run")
    interrupted.wait_for(" 2/17 ")
    interrupted.signal(signal.SIGINT)
    assert interrupted.end() == 130
    last = interrupted.said.splitlines()[-1]
    assert shlex.split(last)[-3:] == ["train", "--resume", "my run"] and "error:" not in interrupted.said
    assert interrupted.said.count("interrupted") == 1 and "Traceback" not in interrupted.said
    kept = unfinished(run)
    assert kept["step"] >= 2 and len(kept["history"]) >= 2

    twice = Command(tmp_path, *printed_command(interrupted.said))
    twice.wait_for("going on behind")
    twice.signal(signal.SIGINT)
    twice.signal(signal.SIGINT)
    assert twice.end() == 130 and "Traceback" not in twice.said
    assert unfinished(run)["step"] >= kept["step"]

    assert main([*printed_command(interrupted.said)[:-1], str(run.path)]) == 0
    assert outcome(run) == outcome(whole)


def test_a_second_interruption_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), noticed() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.asked
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("still there")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_that_is_killed_goes_on_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = ["search", "--profile", "stm32f405", "--algorithm", "random", "--flash", "12KiB", "--limit", "60"]
    begin += ["--epochs", "12", "--workers", "1", "--out"]
    go_on = ["search", "--resume", "--workers", "1"]
    monkeypatch.chdir(tmp_path)
    with short_trainings():
        assert main([*begin, "whole"]) == 0
    expected = outcome(RunFolder(tmp_path / "whole"))

    run = RunFolder(tmp_path / "killed")
    searching = Command(tmp_path, *begin, "killed", quick=True)
    searching.wait_for("rung 1 of 2: 2 of")
    searching.signal(signal.SIGKILL)
    assert searching.end() == -signal.SIGKILL
    assert not run.architecture.is_file()
    training = Command(tmp_path, *go_on, "killed", quick=True)
    training.wait_for(" 5/10 ")
    training.signal(signal.SIGTERM)
    assert training.end() == -signal.SIGTERM
    assert len(unfinished(run)["history"]) >= 5  # what the last epoch kept

    with short_trainings():
        assert main([*go_on, "killed"]) == 0
        assert outcome(run) == expected
        report = run.training.read_bytes()
        assert main([*go_on, "killed"]) == 0
    assert run.training.read_bytes() == report  # what has ended is not repeated
