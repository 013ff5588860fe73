from __future__ import annotations

from typing import Any

from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend, pretend_work
from toolchain.architecture.text import parse
from toolchain.search.candidates import Candidate
from toolchain.search.finalists import Rung, halve
from toolchain.search.trainings import Extent

CHANNELS = (4, 8, 12, 16, 20, 24)
RUNGS = (
    Rung(6, Extent((100, 50), (1, 1)), (7,)),
    Rung(2, Extent((300, 100), (1, 1)), (8, 9)),
)


def pool() -> list[Candidate]:
    lines = [f"t2 leak2 reset-subtract stem{channels}/2 003000 head-flatten" for channels in CHANNELS]
    return [Candidate(board().judge(parse(line))) for line in lines]


def by_width(problem: Any, job: dict[str, Any]) -> dict[str, Any]:
    """The wider the better."""
    return pretend_work(problem, job) | {"quality": parse(job["architecture"]).stem_channels / 100}


def test_the_better_train_longer_and_from_more_seeds() -> None:
    executor, seen = Pretend(by_width), list[int]()
    trained = halve(pretend(executor), pool(), RUNGS, lambda each: seen.append(each.rung))
    assert seen == [0] * 6 + [1] * 4
    assert len(trained) == 6 and len(executor.asked) == 10
    last = [each for each in trained if each.rung == 1]
    assert sorted(each.candidate.architecture.stem_channels for each in last) == [20, 24]
    assert all(len(each.outcomes) == 2 and each.extent == RUNGS[1].extent for each in last)
    assert {job["seed"] for job in executor.asked if job["images"] == [300, 100]} == {8, 9}


def test_candidates_whose_trainings_did_not_all_end_stay_on_their_rung() -> None:
    done = [{"kind": "job", "job": job, "result": by_width(None, job)} for job in asked()[:7]]
    trained = halve(pretend(entries=done, time_budget_s=1e-9), pool(), RUNGS, lambda each: None)
    assert len(trained) == 6 and {each.rung for each in trained} == {0}


def asked() -> list[dict[str, Any]]:
    executor = Pretend(by_width)
    halve(pretend(executor), pool(), RUNGS, lambda each: None)
    return executor.asked
