from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.data import bars
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend, pretend_work
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import parse
from toolchain.datasets import Dataset
from toolchain.errors import InputError, OverBudgetError
from toolchain.search.cell_choice import RANKED_BY
from toolchain.search.feasible import permitted_cells
from toolchain.search.impact.analysis import ALL, SEEDS, analyse, best_score
from toolchain.search.impact.candidates import candidates
from toolchain.search.impact.results import Impact, SetImpact
from toolchain.search.impact.sets import REMOVABLE, OperationSet
from toolchain.search.problem import Problem
from toolchain.search.rungs import SEEN
from toolchain.search.scoring.results import SCORES, Averages
from toolchain.search.settings import SearchSettings


def found(
    executor: Pretend | None = None,
    profile: str = "stm32f405",
    seed: int = 0,
    data: Dataset | None = None,
    **limits: Any,
) -> Impact:
    data = data or bars()
    problem = Problem(board(profile, data, **limits), data, SearchSettings(seed))
    return analyse(problem, pretend(executor))


@pytest.fixture(scope="module")
def example() -> tuple[Impact, Pretend]:
    """One analysis that several tests look at, and what it asked for."""
    executor = Pretend()
    return found(executor), executor


def by_removed(impact: Impact) -> dict[str, SetImpact]:
    return {each.operations.removed: each for each in impact.sets}


def accuracies(wanted: Any) -> Pretend:
    """An executor whose trainings reach ``wanted(cells)``, the seeds a hundredth apart."""

    def work(problem: Any, job: dict[str, Any]) -> dict[str, Any]:
        result = pretend_work(problem, job)
        if job["kind"] == "training":
            cells = {str(cell) for cell in parse(job["architecture"]).cells}
            # Half a hundredth by the network's text, so that there is noise, and never the same for all.
            noise = (result["effective_operations"] % 100 - 50) * 1e-4
            result["quality"] = wanted("".join(cells)) + (job["seed"] % 3) * 0.01 + noise
        return result

    return Pretend(work)


@pytest.mark.parametrize("profile", ["stm32f405", "raspberry_pi_4b"])
def test_each_operation_is_removed_and_none_of_it_is_left(profile: str) -> None:
    impact = found(profile=profile)
    sets = by_removed(impact)
    assert list(sets)[:5] == ["", *REMOVABLE] and impact.sets[0].operations == ALL
    for removed, each in sets.items():
        assert each.cells == len(permitted_cells(each.operations.permitted)) > 0
        for trained in each.trained:
            digits = {digit for cell in trained.candidate.architecture.cells for digit in str(cell)}
            assert not digits & set(removed) and len(trained.outcomes) == SEEDS
            assert impact.board.judge(trained.candidate.architecture).fits


def test_every_network_trains_once_and_all_equally(example: tuple[Impact, Pretend]) -> None:
    impact, executor = example
    trainings = [job for job in executor.asked if job["kind"] == "training"]
    texts = [json.dumps(job, sort_keys=True) for job in trainings]
    assert len(set(texts)) == len(texts)
    assert len({(*job["images"], *job["epochs"]) for job in trainings}) == 1
    networks = {each.candidate.id for every in impact.sets for each in every.trained}
    assert len(trainings) == SEEDS * len(networks)
    assert {job["seed"] for job in trainings} == set(impact.seeds)
    assert impact.extent.images_seen == pytest.approx(SEEN, rel=0.02)


def test_scores_are_computed_once_for_all_sets(example: tuple[Impact, Pretend]) -> None:
    impact, executor = example
    scored = [job for job in executor.asked if job["kind"] == "scores"]
    assert len(scored) == SearchSettings().weight_seeds * len(impact.anchor.cells)


def test_an_operation_that_accuracy_needs_is_found() -> None:
    # Only networks with a 3x3 convolution reach 90 %.
    impact = found(accuracies(lambda cells: 0.9 if "3" in cells else 0.7))
    sets = by_removed(impact)
    assert sets["3"].verdict == "costs accuracy" and sets["3"].difference < -0.15
    assert "3" not in impact.default.removed


def test_what_no_network_needs_goes_and_all_of_it_together() -> None:
    # The reference, of 3x3 convolutions alone, is the best of all.
    impact = found(accuracies(lambda cells: 0.9 if cells == "003000" else 0.6))
    assert impact.default.permitted == "03"
    sets = by_removed(impact)
    for removed in ("1", "2", "4", impact.default.removed):
        assert sets[removed].verdict == "costs nothing" and sets[removed].error == 0
        assert sets[removed].difference == 0


def test_an_operation_that_saves_memory_stays() -> None:
    """Skip cells train a little worse than others, but within the error, and take the fewest bytes."""
    accuracy = {"001000": 0.897, "002000": 0.9, "003000": 0.9}
    impact = found(accuracies(lambda cells: accuracy.get(cells, 0.6)))
    sets = by_removed(impact)
    without, full = sets["1"], sets[""]
    assert full.chosen is not None and full.best is not None and without.chosen is not None
    assert str(full.chosen.candidate.architecture.cells[0]) == "001000" and full.best != full.chosen
    assert without.verdict == "costs memory" and without.difference == 0
    assert without.more_bytes == without.chosen.size_bytes - full.chosen.size_bytes > 0
    assert "1" in impact.default.permitted


def test_what_is_reachable_without_an_operation_is_reachable_with_it(
    example: tuple[Impact, Pretend],
) -> None:
    for each in example[0].sets:
        for other in example[0].sets:
            if set(each.operations.removed) <= set(other.operations.removed):
                assert set(map(id, other.trained)) <= set(map(id, each.trained))
                assert each.difference >= other.difference


def test_operations_that_stand_in_for_each_other_do_not_go_both() -> None:
    # Without skip a pool does, and without a pool skip; without either accuracy is lost.
    executor = accuracies(lambda cells: 0.9 if {"1", "4"} & set(cells) else 0.6)
    impact = found(executor)
    assert len({"1", "4"} & set(impact.default.removed)) < 2
    chosen = by_removed(impact)[impact.default.removed]
    assert chosen.best is not None and chosen.best.quality > 0.85


def test_it_goes_on_from_any_line_of_its_journal(example: tuple[Impact, Pretend]) -> None:
    impact, executor = example
    entries = [
        {"kind": "job", "job": job, "result": pretend_work(None, job), "elapsed_s": 1.0}
        for job in executor.asked
    ]
    for count in (3, len(entries)):
        again = Pretend()
        problem = Problem(board(data=bars()), bars(), SearchSettings())
        assert analyse(problem, pretend(again, entries=entries[:count])) == impact
        assert len(again.asked) == len(entries) - count
    other = Pretend()
    found(other, seed=1)
    assert {json.dumps(job) for job in other.asked}.isdisjoint(map(json.dumps, executor.asked))


def test_nothing_fits() -> None:
    with pytest.raises(OverBudgetError, match="even the smallest misses"):
        found(flash_bytes=1024)


def test_operations_without_which_nothing_fits_stay() -> None:
    """In 5,200 bytes of flash a 1x1 convolution fits, and none of 3x3."""
    where = board(data=bars(), flash_bytes=5_200)
    assert candidates(where, OperationSet("3"), []) and not candidates(where, OperationSet("124"), [])
    impact = found(accuracies(lambda cells: 0.8), flash_bytes=5_200)
    assert {"1", "2", "4"} & set(impact.default.permitted)
    for each in impact.sets:
        assert (each.best is None) == (each.verdict == "nothing fits")
    assert by_removed(impact)[impact.default.removed].best is not None


def test_a_time_budget_that_ends_before_all_was_trained_says_so() -> None:
    problem = Problem(board(data=bars()), bars(), SearchSettings(time_budget_s=1e-9))
    with pytest.raises(InputError, match="the time budget ended after 0 of"):
        analyse(problem, pretend(time_budget_s=1e-9))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["", "1", "2", "3", "4", "12", "24", "124"]), st.integers(0, 1000))
def test_the_best_score_is_that_of_the_best_permitted_cell_of_each_position(removed: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = distinct_cells()
    scores = [
        Averages(
            cells,
            {name: rng.normal(size=len(cells)) for name in SCORES},
            {name: rng.random(len(cells)) for name in SCORES},
            3,
        )
        for _ in range(2)
    ]
    operations = OperationSet(removed)
    score = best_score(scores, operations)
    assert score is not None and score.total is not None
    wanted = 0.0
    for position, cell in zip(scores, score.cells, strict=True):
        assert not set(cell) & set(removed)
        values = dict(zip(map(str, cells), position.mean[RANKED_BY], strict=True))
        wanted += max(value for text, value in values.items() if not set(text) & set(removed))
        assert values[cell] == max(v for text, v in values.items() if not set(text) & set(removed))
    assert score.total == pytest.approx(wanted)


def test_no_score_where_every_permitted_cell_fires_alike() -> None:
    cells = distinct_cells()
    blank = {name: np.full(len(cells), -np.inf) for name in SCORES}
    score = best_score([Averages(cells, blank, {name: np.zeros(len(cells)) for name in SCORES}, 2)], ALL)
    assert score is not None and score.total is None and score.cells == ()
    assert best_score([], ALL) is None
