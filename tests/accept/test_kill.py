"""A run that is killed again and again comes to what a run comes to that nobody kills."""

from __future__ import annotations

import random
import shutil
import signal
import time
from bisect import bisect_right
from pathlib import Path

import pytest

from tests.support.kills import POLL_SECONDS, Command, life, outcome
from toolchain.runs import RunFolder

pytestmark = pytest.mark.accept

KILLS = 10
"""Of the search, and as many of the training."""

OF_TRAINING = ("training.json", "model.*", "checkpoint.safetensors")
"""What a run does not have yet when its search has ended."""

SETTINGS = ("--profile", "stm32f405", "--limit", "200", "--epochs", "24", "--seed", "3", "--workers", "2")


def begin(folder: Path, run: RunFolder) -> Command:
    """The one command that always goes on; before there is a run, the one that begins it."""
    if run.settings_file.is_file():
        return Command(folder, "search", "--resume", str(run.path), "--workers", "2")
    return Command(folder, "search", *SETTINGS, "--out", str(run.path))


def undisturbed(folder: Path) -> tuple[RunFolder, list[float], float]:
    """A run that nobody kills; the seconds after which it began and each part of it was kept; its end."""
    run, started, kept = RunFolder(folder / "whole"), time.monotonic(), [0.0]
    command = begin(folder, run)
    while not command.ended:
        while len(kept) <= life(run):
            kept.append(time.monotonic() - started)
        time.sleep(POLL_SECONDS)
    assert command.end() == 0, command.said
    return run, kept, time.monotonic() - started


def kill(command: Command, run: RunFolder, part: int, offset: float) -> bool:
    """Kill ``offset`` seconds after ``part`` of the run has been kept; whether it had not ended by itself before."""
    searching, reached = not run.architecture.is_file(), None
    while not command.ended:
        # Where an earlier process kept the part, the time counts from when this one is at work on the next.
        at_work = part == 0 or (command.said if searching else "\ntraining " in command.said)
        at_work = at_work or "going on behind" in command.said
        if reached is None and at_work and life(run) >= part:
            reached = time.monotonic()
        if reached is not None and time.monotonic() - reached >= offset:
            command.signal(signal.SIGKILL)
            return command.end() == -signal.SIGKILL
        time.sleep(POLL_SECONDS)
    return False


def test_twenty_kills_at_random_moments(tmp_path: Path) -> None:
    whole, kept, end = undisturbed(tmp_path)
    expected = outcome(whole)
    assert len(set(expected["jobs"])) == len(expected["jobs"])
    searched = kept[len(whole.journal.read_text().splitlines())]
    seed = random.SystemRandom().randrange(2**32)
    print(
        f"seed {seed}; undisturbed: searched after {searched:.1f} s, {len(kept) - 1} parts, ended after {end:.1f} s"
    )
    draw = random.Random(seed)
    spans = [(0.0, searched)] * KILLS + [(searched, end)] * KILLS
    moments = sorted(draw.uniform(*span) for span in spans)
    run, runs, training = RunFolder(tmp_path / "killed-0"), 1, 0
    for number, moment in enumerate(moments, start=1):
        part = bisect_right(kept, moment) - 1
        while True:
            command = begin(tmp_path, run)
            if kill(command, run, part, moment - kept[part]):
                break
            # It was faster than the undisturbed one: that was a test, too, and another run takes the kill.
            assert command.end() == 0, command.said
            assert outcome(run) == expected, f"seed {seed}, before kill {number}"
            run, runs = RunFolder(tmp_path / f"killed-{runs}"), runs + 1
            if moment >= searched:
                shutil.copytree(whole.path, run.path, ignore=shutil.ignore_patterns(*OF_TRAINING))
        training += run.architecture.is_file()
        print(
            f"kill {number} at {moment:.2f} s, {moment - kept[part]:.2f} s behind part {part}: {life(run)} kept"
        )
    last = begin(tmp_path, run)
    assert last.end() == 0, last.said
    assert outcome(run) == expected, f"seed {seed}"
    assert training >= KILLS // 2
    print(f"{training} of {len(moments)} kills behind the search's end; {runs} runs")
