from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.data import bars
from toolchain import profiles
from toolchain.architecture.text import parse, to_text
from toolchain.cost.artifacts import artifact_bytes
from toolchain.cost.layout import layout
from toolchain.errors import OverBudgetError
from toolchain.graph.graph import arrays
from toolchain.profiles.budget import budget
from toolchain.search.board import Board
from toolchain.search.cell_space import best, searched_cells
from toolchain.search.journal import read_journal
from toolchain.search.results import SearchResult
from toolchain.search.search import search, weight_seeds
from toolchain.search.settings import SearchSettings
from toolchain.search.sizes import REFERENCE
from toolchain.search.untrained import CellScorer

SMALL = 60 * 1024
QUICK = SearchSettings(candidates=3, batch=8, weight_seeds=2)


def found(
    name: str = "stm32f405",
    extent: SearchSettings = QUICK,
    journal: Path | None = None,
    **limits: Any,
) -> SearchResult:
    profile = profiles.load(name)
    return search(
        bars(), profile, budget(profile, **limits), extent, journal=journal, progress=lambda _: None
    )


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchResult, Path]:
    """One search that several tests look at, and its journal."""
    journal = tmp_path_factory.mktemp("example") / "search.jsonl"
    return found(journal=journal, flash_bytes=SMALL), journal


def without_times(journal: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in read_journal(journal)]


def test_the_same_seed_gives_the_same_result_and_journal(
    tmp_path: Path, example: tuple[SearchResult, Path]
) -> None:
    result, journal = example
    again, other = tmp_path / "again", tmp_path / "other"
    assert found(journal=again, flash_bytes=SMALL).architecture == result.architecture
    assert without_times(again) == without_times(journal)
    found(extent=replace(QUICK, seed=1), journal=other, flash_bytes=SMALL)
    assert without_times(other) != without_times(journal)


def test_what_a_search_returns(example: tuple[SearchResult, Path]) -> None:
    result, _ = example
    assert [position.chosen.cell for position in result.positions] == list(result.architecture.cells)
    assert all(array is None for _, array in arrays(result.graph))
    assert result.graph.labels == bars().labels
    assert result.space == len(searched_cells(REFERENCE)) * len(result.positions)
    assert result.scored == sum(len(position.scored) for position in result.positions)
    for position in result.positions:
        assert position.chosen == best(position.scored)
        assert {role for candidate in position.references for role in candidate.roles} == {
            "reference",
            "largest",
        }


def test_a_journal_line_is_enough_to_score_its_candidate_again(example: tuple[SearchResult, Path]) -> None:
    _, journal = example
    start, *rest = read_journal(journal)
    profile = profiles.load(start["profile"])
    board = Board.for_data(profile, budget(profile), bars())
    assert start["weight_seeds"] == weight_seeds(QUICK)
    scored = [entry for entry in rest if "scores" in entry]
    for entry in (scored[0], scored[-1]):
        architecture = parse(entry["architecture"])
        scorer = CellScorer(
            board, architecture, entry["position"], bars().train.images, start["settings"]["batch"],
            start["weight_seeds"],
        )  # fmt: skip
        again = scorer.score(architecture.cells[entry["position"]])
        assert entry["scores"]["sahd_2022_01"] == again.sahd_2022_01
        assert entry["scores"]["sahd_2022_07"] == again.sahd_2022_07


def test_the_journal_tells_the_whole_story(example: tuple[SearchResult, Path]) -> None:
    result, journal = example
    entries = read_journal(journal)
    kinds = [entry["kind"] for entry in entries]
    assert kinds[0] == "start" and kinds[-1] == "result"
    assert entries[-1]["architecture"] == to_text(result.architecture)
    assert kinds.count("choice") == len(result.positions)
    assert sum("scores" in entry for entry in entries) == result.scored
    assert entries[0]["data_sha256"] == bars().sha256
    for entry in entries:
        if entry["kind"] in ("size", "candidate"):
            parse(entry["architecture"])
            assert entry["footprint"]["flash_bytes"] > 0


def test_a_time_budget_ends_the_scoring_but_not_before_the_references() -> None:
    extent = SearchSettings(candidates=10_000, batch=8, weight_seeds=1, time_budget_s=1e-3)
    result = found(extent=extent, flash_bytes=SMALL)
    assert {position.stopped_by for position in result.positions} == {"time"}
    assert all(1 <= len(position.scored) <= 2 for position in result.positions)


def test_earlier_cells_leave_room_for_the_reference_later(example: tuple[SearchResult, Path]) -> None:
    """Whatever the first cell takes, the second may still be a direct 3x3 convolution."""
    for result in (example[0], found(flash_bytes=36_800)):
        assert result.sizing.reserve == REFERENCE
        for position in result.positions:
            assert REFERENCE in {candidate.cell for candidate in position.references}


budgets = st.one_of(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["stm32f405", "rp2040", "nrf52840", "crazyflie_2_1"])},
        optional={
            "flash_bytes": st.integers(5_000, 120_000),
            "sram_bytes": st.integers(2_300, 12_000),
            "latency_ms": st.floats(0.05, 50),
        },
    ),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["jetson_nano", "raspberry_pi_4b"])},
        optional={"artifact_bytes": st.integers(5_000, 500_000), "latency_ms": st.floats(0.01, 30)},
    ),
)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(budgets, st.integers(0, 100))
def test_every_network_found_is_within_budget(wanted: dict[str, Any], seed: int) -> None:
    limits = {field: value for field, value in wanted.items() if field != "name"}
    profile = profiles.load(wanted["name"])
    extent = SearchSettings(seed=seed, candidates=1, batch=4, weight_seeds=1, time_budget_s=1.0)
    try:
        result = found(wanted["name"], extent, **limits)
    except OverBudgetError as error:
        assert any(limit in str(error) for limit in ("flash", "sram", "scratch", "artifact", "latency"))
        return
    if profile.regions:
        plan = layout(result.graph, profile)
        assert all(region.headroom_bytes >= 0 for region in plan.regions)
        assert plan.flash_bytes <= limits.get("flash_bytes", plan.flash_bytes)
        assert plan.sram_bytes <= limits.get("sram_bytes", plan.sram_bytes)
    else:
        size = max(artifact_bytes(result.graph, form) for form in profile.default_formats)
        assert size <= limits.get("artifact_bytes", size)
        latency = result.footprint.latency_ms
        assert latency is not None and latency <= limits.get("latency_ms", latency)


def test_nothing_fits() -> None:
    with pytest.raises(OverBudgetError, match="even the smallest misses"):
        found(flash_bytes=1024)
