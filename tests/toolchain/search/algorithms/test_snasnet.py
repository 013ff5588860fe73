"""The published search: what it draws, drops, scores and takes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.data import bars, steering
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend
from toolchain import profiles
from toolchain.architecture.snasnet import SnasnetArchitecture, parse, to_text
from toolchain.errors import InputError, OverBudgetError
from toolchain.profiles.budget import budget
from toolchain.search.algorithms import algorithm, snasnet
from toolchain.search.algorithms.base import Found
from toolchain.search.executors import Workers
from toolchain.search.problem import Problem
from toolchain.search.search import search
from toolchain.search.settings import SearchSettings
from toolchain.search.snasnet.sizes import SKIP


def found(
    executor: Pretend | None = None,
    asked: SearchSettings | None = None,
    *,
    time: float | None = None,
    **limits: Any,
) -> Found:
    problem = Problem(board("jetson_nano", bars(), **limits), bars(), asked or SearchSettings())
    said: list[str] = []
    return algorithm("snasnet").run(problem, pretend(executor, time_budget_s=time, progress=said.append))


def test_the_highest_score_is_taken() -> None:
    executor = Pretend()
    result = found(executor)
    scores = {json.dumps(job): executor._work(None, job)["sahd_2022_07"] for job in executor.asked}
    best = max(executor.asked, key=lambda job: scores[json.dumps(job)] or -99.0)
    assert to_text(result.chosen.architecture) == best["architecture"]  # type: ignore[arg-type]
    assert result.counts.scored == len(executor.asked) == result.counts.space == snasnet.DEFAULT
    assert result.trained == () and result.cells[0].scores["sahd_2022_07"] == scores[json.dumps(best)]
    assert len(result.cells) == snasnet.TOLD


def test_each_candidate_is_one_cell_twice_in_a_network_of_its_own() -> None:
    executor = Pretend()
    found(executor)
    networks = [parse(job["architecture"]) for job in executor.asked]
    assert all(network.cells[0] == network.cells[1] for network in networks)
    assert len({job["seed"] for job in executor.asked}) == len(networks)
    assert len({(n.channels, n.pool, n.width) for n in networks}) == 1
    # As published, a cell may be drawn again.
    assert max(Counter(network.cells[0] for network in networks).values()) >= 1


def test_drawn_cells_over_budget_are_dropped_and_counted() -> None:
    executor = Pretend()
    result = found(executor, artifact_bytes=60_000)
    dropped = result.counts.dropped["artifact"]
    assert 0 < dropped == result.counts.space - len(executor.asked) < result.counts.space
    for job in executor.asked:
        assert result.board.judge(parse(job["architecture"])).fits


def test_a_time_budget_asks_for_the_published_number_and_takes_what_it_gets() -> None:
    executor = Pretend()
    result = found(executor, SearchSettings(time_budget_s=100.0), time=100.0)
    assert result.counts.space == 5000 and len(executor.asked) == result.counts.scored
    none = found(Pretend(), SearchSettings(time_budget_s=1e-9), time=1e-9)
    assert none.counts.scored == 0 and none.chosen.verdict.fits and none.chosen.roles == ("not scored",)


def test_wide_networks_get_fewer_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snasnet, "MACS_PER_SECOND", 1e3)
    executor = Pretend()
    found(executor)
    assert len(executor.asked) == snasnet.FEWEST


def test_only_the_permitted_operations() -> None:
    executor = Pretend()
    found(executor, SearchSettings(operations="013"))
    digits = "".join(str(parse(job["architecture"]).cells[0]) for job in executor.asked)
    assert set(digits) == set("013")


budgets = st.fixed_dictionaries(
    {},
    optional={
        "artifact_bytes": st.integers(20_000, 2_000_000),
        "resident_bytes": st.integers(10 << 20, 40 << 20),
        "latency_ms": st.floats(0.05, 33),
        "operations": st.integers(100_000, 10_000_000),
    },
)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(budgets, st.integers(0, 100))
def test_what_is_chosen_is_within_budget(wanted: dict[str, Any], seed: int) -> None:
    try:
        result = found(asked=SearchSettings(seed), **wanted)
    except OverBudgetError as error:
        assert "even the smallest misses" in str(error)
        return
    verdict = result.board.judge(result.chosen.architecture)
    assert verdict.fits and verdict == result.chosen.verdict


def test_nothing_drawn_fits_but_a_skip_does(monkeypatch: pytest.MonkeyPatch) -> None:
    least = board("jetson_nano").judge(parse("snasnet t5 stem8/1 001000 pool4 fc64 voters10"))
    assert least.footprint.artifact_bytes is not None
    result = found(artifact_bytes=least.footprint.artifact_bytes + 8, operations=least.operations)
    assert isinstance(result.chosen.architecture, SnasnetArchitecture)
    assert result.chosen.architecture.cells == (SKIP, SKIP) and result.chosen.verdict.fits


def test_a_microcontroller_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InputError, match="A deployment on stm32f405 is not to be had"):
        algorithm("snasnet").check(board("stm32f405"))


def test_numbers_are_not_to_be_had_in_the_published_space() -> None:
    with pytest.raises(InputError, match="tell classes, as those published do"):
        algorithm("snasnet").check(board("jetson_nano", steering()))


def test_a_search_that_is_cut_short_goes_on_to_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real jobs, in this process and in two others."""
    monkeypatch.setattr(snasnet, "DEFAULT", 12)
    board_ = profiles.load("jetson_nano")
    limits = budget(board_, artifact_bytes=120_000)

    def run(name: str, workers: Workers) -> tuple[str, list[str]]:
        journal = tmp_path / name
        result = search(
            bars(),
            board_,
            limits,
            SearchSettings(),
            name="snasnet",
            workers=workers,
            journal=journal,
            progress=lambda _: None,
        )
        assert result.graph is None and isinstance(result.architecture, SnasnetArchitecture)
        return to_text(result.architecture), journal.read_text().splitlines()

    whole, lines = run("whole", Workers(1))
    assert sum('"kind": "job"' in line for line in lines) == 12
    (tmp_path / "cut").write_text("\n".join(lines[:5]) + "\n" + lines[5][:30])
    again, resumed = run("cut", Workers(2))
    assert again == whole
    key = "architecture"
    assert {json.loads(line)["job"][key] for line in resumed if '"job"' in line} == {
        json.loads(line)["job"][key] for line in lines if '"job"' in line
    }


def test_the_same_seed_asks_for_the_same_and_finds_the_same() -> None:
    executors = [Pretend() for _ in range(3)]
    results = [found(each, SearchSettings(seed)) for each, seed in zip(executors, (1, 1, 2), strict=True)]
    assert results[0].chosen == results[1].chosen and results[0].cells == results[1].cells
    assert executors[0].asked == executors[1].asked != executors[2].asked
    for job in executors[0].asked:
        assert json.loads(json.dumps(job)) == job and job["kind"] == "snasnet"
