from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.data import bars
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import Pretend, pretend, pretend_work
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import parse, to_text
from toolchain.errors import ToolMissingError
from toolchain.search import rounds
from toolchain.search.algorithms import algorithm, evolution
from toolchain.search.algorithms.base import Counts, Found
from toolchain.search.algorithms.evolution import LEADERS, POPULATION
from toolchain.search.algorithms.genome import express, genes, genome_of
from toolchain.search.algorithms.population import Population
from toolchain.search.feasible import Feasible, feasible_sizes
from toolchain.search.finalists import train
from toolchain.search.problem import Problem
from toolchain.search.rungs import seconds_per_image
from toolchain.search.seeds import training_seeds
from toolchain.search.settings import SearchSettings
from toolchain.search.space import TIME_STEPS, sizes
from toolchain.search.trainings import Extent

GRID = sizes(board().pixels)
CELLS = frozenset(distinct_cells())
genomes = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in genes("01234").items()})


def problem(seed: int = 0, **limits: Any) -> Problem:
    return Problem(board(data=bars(), **limits), bars(), SearchSettings(seed))


def evolved(executor: Pretend, **limits: Any) -> Found:
    return algorithm("evolution").run(problem(**limits), pretend(executor))


@settings(max_examples=200, deadline=None)
@given(genomes)
def test_a_genome_is_a_network_of_the_space_or_none(genome: dict[str, Any]) -> None:
    network = express(genome, frozenset(GRID))
    if network is None:
        shrinking = genome["lead"] + genome["cells"] > 1
        named = {
            name: genome[name] for name in ("time_steps", "stem_channels", "stem_stride", "lead", "cells")
        }
        assert shrinking and not any(all(getattr(s, k) == v for k, v in named.items()) for s in GRID)
        return
    assert len(network.cells) == genome["cells"] and set(network.cells) <= CELLS
    assert (network.time_steps, network.stem_channels) == (genome["time_steps"], genome["stem_channels"])


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(GRID), st.sampled_from(distinct_cells()))
def test_every_size_and_cell_has_a_genome(point: Any, cell: Any) -> None:
    genome = genome_of(point, cell)
    assert express(genome, frozenset(GRID)) == point.architecture(cell)
    assert all(genome[name] in values for name, values in genes("01234").items())


def test_frames_leave_one_number_of_time_steps() -> None:
    assert genes("01234", (5,)) == genes("01234") | {"time_steps": (5,)}


def test_forbidden_operations_are_no_genes() -> None:
    every = {value for name, values in genes("013").items() if name.startswith("cell1") for value in values}
    assert every == {"0", "1", "3"}


def drawn(feasible: Feasible, seed: int, rounds: int) -> list[str]:
    """Ids of ``rounds`` generations, trained in a pretended way."""
    population = Population(feasible, SearchSettings(seed), POPULATION, Counts())
    found = []
    for _ in range(rounds):
        candidates = population.draw()
        assert len(candidates) == POPULATION
        population.tell(train(pretend(), candidates, Extent.of(100, 100), [0], 0, lambda _: None))
        found += [each.id for each in candidates]
    return found


def test_generations_fit_are_new_and_depend_on_the_seed_alone() -> None:
    feasible = feasible_sizes(board(data=bars(), flash_bytes=40_000))
    ids = drawn(feasible, 0, 4)
    assert len(set(ids)) == len(ids) and drawn(feasible, 0, 4) == ids and drawn(feasible, 1, 4)[1:] != ids[1:]


def test_it_evolves_towards_what_trains_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fewer time steps give more accuracy, later generations have fewer than networks drawn at random."""

    def work(problem: Any, job: dict[str, Any]) -> dict[str, Any]:
        accuracy = 0.9 - parse(job["architecture"]).time_steps / 20
        return pretend_work(problem, job) | {"quality": accuracy}

    monkeypatch.setattr(rounds, "SECONDS_PER_TRAINING_IMAGE", 10.0)
    late: list[int] = []
    for seed in range(3):
        executor = Pretend(work)
        algorithm("evolution").run(problem(seed), pretend(executor))
        first = training_seeds(SearchSettings(seed))[0]
        jobs = [job for job in executor.asked if job["seed"] == first]
        assert len(jobs) >= 6 * POPULATION
        late += [parse(job["architecture"]).time_steps for job in jobs[len(jobs) // 2 :]]
    assert sum(late) / len(late) < 0.75 * sum(TIME_STEPS) / len(TIME_STEPS)


def test_leaders_train_longer_and_one_of_them_is_chosen() -> None:
    executor = Pretend()
    result = evolved(executor)
    finals = [each for each in result.trained if each.rung == 1]
    assert len(finals) == LEADERS and result.chosen in [each.candidate for each in finals]
    assert all(len(each.outcomes) == 2 for each in finals)
    short = {
        job["architecture"]: pretend_work(None, job)["quality"]
        for job in executor.asked
        if job["seed"] == executor.asked[0]["seed"]
    }
    leaders = {to_text(each.candidate.architecture) for each in finals}
    assert min(short.pop(line) for line in leaders) >= max(short.values())


def test_what_does_not_fit_is_dropped_before_it_is_trained_and_told_of() -> None:
    executor = Pretend()
    result = evolved(executor, flash_bytes=15_000)
    assert result.counts.dropped["flash"] > 0 and result.counts.space >= result.counts.trained
    where = board(data=bars(), flash_bytes=15_000)
    assert all(where.judge(parse(job["architecture"])).fits for job in executor.asked)


def test_its_trainings_take_the_seconds_that_those_of_others_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SECONDS_PER_TRAINING_IMAGE", 3.0)
    executor = Pretend()
    evolved(executor)
    wanted = problem()
    seconds = rounds.training_seconds(wanted, pretend(), feasible_sizes(wanted.board).best)
    taken = sum(
        seconds_per_image(wanted.board.graph(parse(job["architecture"])))
        * Extent(tuple(job["images"]), tuple(job["epochs"])).images_seen
        for job in executor.asked
    )
    assert 0.6 * seconds < taken < 1.4 * seconds


def test_it_goes_on_from_any_line_of_its_journal() -> None:
    executor = Pretend()
    result = evolved(executor)
    entries = [
        {"kind": "job", "job": job, "result": pretend_work(None, job), "elapsed_s": 1.0}
        for job in executor.asked
    ]
    for count in (1, POPULATION + 3, len(entries) - 1):
        again = Pretend()
        other = algorithm("evolution").run(problem(), pretend(again, entries=entries[:count]))
        assert other == result and len(again.asked) == len(entries) - count


def test_without_optuna_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolution, "find_spec", lambda name: None)
    with pytest.raises(ToolMissingError, match=r"pip install 'spikenas-deploy\[evolution\]'"):
        algorithm("evolution")


def test_optuna_is_silent(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        evolved(Pretend())
    assert capsys.readouterr() == ("", "") and not caplog.records
