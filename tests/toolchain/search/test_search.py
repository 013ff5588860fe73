"""Searches with real scores and real trainings, on bars of 8x8 pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.data import bars
from tests.toolchain.search.short import short_trainings
from toolchain import profiles
from toolchain.architecture.text import to_text
from toolchain.errors import InputError, OverBudgetError
from toolchain.graph.graph import arrays
from toolchain.profiles.budget import budget
from toolchain.search.board import Board
from toolchain.search.executors import Workers
from toolchain.search.jobs import work
from toolchain.search.journal import read_journal
from toolchain.search.problem import Problem
from toolchain.search.results import SearchResult
from toolchain.search.search import overrun, search
from toolchain.search.settings import SearchSettings

EXTENT = SearchSettings(seed=3, batch=8, weight_seeds=2)


@pytest.fixture(scope="module", autouse=True)
def short() -> Any:
    with short_trainings():
        yield


def found(journal: Path | None = None, workers: int = 1, **limits: Any) -> SearchResult:
    profile = profiles.load("stm32f405")
    extent = limits.pop("extent", EXTENT)
    return search(
        bars(),
        profile,
        budget(profile, **({"flash_bytes": 30 * 1024, "latency_ms": 1.0} | limits)),
        extent,
        workers=Workers(workers),
        journal=journal,
        progress=lambda _: None,
    )


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchResult, Path]:
    """One search that several tests look at, and its journal."""
    journal = tmp_path_factory.mktemp("example") / "search.jsonl"
    return found(journal), journal


def without_times(journal: Path) -> list[Any]:
    """The entries without what the clock had a part in, jobs in an order of their own."""
    entries = read_journal(journal)
    for entry in entries:
        entry.pop("elapsed_s", None)
        entry.get("result", {}).pop("seconds", None)
    return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))


def test_what_a_search_returns(example: tuple[SearchResult, Path]) -> None:
    result, journal = example
    assert result.graph.labels == bars().labels
    assert all(array is None for _, array in arrays(result.graph))
    assert result.architecture == result.found.chosen.architecture
    assert len(result.found.trained) == 4 and result.found.counts.scored > 7000
    kinds = [entry["kind"] for entry in read_journal(journal)]
    assert kinds[0] == "start" and kinds[-1] == "result" and set(kinds[1:-1]) == {"job"}
    assert read_journal(journal)[-1]["architecture"] == to_text(result.architecture)


def test_workers_change_nothing(tmp_path: Path, example: tuple[SearchResult, Path]) -> None:
    result = found(tmp_path / "journal", workers=2)
    assert result.found == example[0].found
    assert without_times(tmp_path / "journal") == without_times(example[1])


def test_a_journal_line_is_enough_to_repeat_its_job(example: tuple[SearchResult, Path]) -> None:
    profile = profiles.load("stm32f405")
    problem = Problem(Board.for_data(profile, budget(profile), bars()), bars(), SearchSettings())
    jobs = [entry for entry in read_journal(example[1]) if entry["kind"] == "job"]
    for kind in ("scores", "training"):
        entry = next(entry for entry in jobs if entry["job"]["kind"] == kind)
        again = work(problem, entry["job"])
        assert again | {"seconds": 0} == entry["result"] | {"seconds": 0}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.7, 0.999])
def test_a_search_cut_short_anywhere_goes_on_to_the_same_result(
    share: float, tmp_path: Path, example: tuple[SearchResult, Path]
) -> None:
    """What SIGKILL leaves: some whole lines, and perhaps part of one."""
    whole = example[1].read_bytes()
    (tmp_path / "journal").write_bytes(whole[: int(len(whole) * share)])
    assert found(tmp_path / "journal").found == example[0].found
    assert without_times(tmp_path / "journal") == without_times(example[1])


def test_a_search_that_ended_gives_its_result_again(example: tuple[SearchResult, Path]) -> None:
    before = example[1].read_bytes()
    assert found(example[1]).found == example[0].found
    assert example[1].read_bytes() == before


def test_a_journal_of_another_search_is_refused(tmp_path: Path, example: tuple[SearchResult, Path]) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(example[1].read_bytes())
    with pytest.raises(InputError, match="other limits"):
        found(journal, flash_bytes=20 * 1024)
    assert journal.read_bytes() == example[1].read_bytes()


def test_a_time_budget_ends_it_and_is_remembered(tmp_path: Path) -> None:
    timed = SearchSettings(seed=3, batch=8, weight_seeds=1, time_budget_s=8.0)
    result = found(tmp_path / "journal", extent=timed)
    assert result.seconds < 20
    again = found(tmp_path / "journal", extent=timed)
    assert again.architecture == result.architecture


def test_nothing_fits() -> None:
    with pytest.raises(OverBudgetError, match="even the smallest misses"):
        found(flash_bytes=1024)


@pytest.mark.parametrize(
    ("elapsed_s", "budget_s", "told"), [(71.7, 10.0, True), (11.0, 10.0, False), (71.7, None, False)]
)
def test_a_search_that_takes_longer_than_it_had_says_so(
    elapsed_s: float, budget_s: float | None, told: bool
) -> None:
    assert (overrun(elapsed_s, budget_s) is not None) is told


def test_a_time_budget_that_is_over_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(
        "toolchain.search.search.overrun", lambda elapsed_s, budget_s: f"had {budget_s:.0f} s"
    )
    profile = profiles.load("stm32f405")
    extent = SearchSettings(seed=3, batch=8, weight_seeds=2, time_budget_s=1e-3)
    search(
        bars(),
        profile,
        budget(profile, flash_bytes=60 * 1024),
        extent,
        name="random",
        progress=messages.append,
    )
    assert messages[-1] == "had 0 s"
