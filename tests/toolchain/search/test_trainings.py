from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.errors import InputError
from toolchain.graph.bounds import max_count
from toolchain.search import trainings
from toolchain.search.problem import Problem
from toolchain.search.settings import SearchSettings
from toolchain.search.trainings import BATCH, Extent, Outcome, run_training, training_job

SMALL = parse("t2 leak2 reset-subtract stem8/1 003000 head-flatten")
PROBLEM = Problem(board(data=bars(400)), bars(400), SearchSettings())


@given(st.integers(100, 500_000), st.integers(10, 60_000))
def test_an_extent_sees_about_what_was_asked_and_repeats_little(seen: int, available: int) -> None:
    extent = Extent.of(seen, available)
    assert all(1 <= images <= available for images in extent.images)
    if available >= BATCH:
        assert extent.images_seen == pytest.approx(seen, rel=0.1, abs=BATCH * max(extent.epochs) + BATCH)
    if available >= seen:
        assert extent.epochs == (1, 1)


def test_a_training_learns_and_repeats_itself() -> None:
    job = training_job(SMALL, Extent.of(3_000, 200), seed=1)
    assert json.loads(json.dumps(job)) == job
    torch.set_num_threads(1)
    first, again = run_training(PROBLEM, job), run_training(PROBLEM, job)
    assert first | {"seconds": 0} == again | {"seconds": 0}
    outcome = Outcome.of(first)
    assert outcome.quality > 0.7 and outcome.held_out == 100  # chance is a third
    assert outcome.seconds > 0


def test_effective_operations_are_fewer_than_dense_ones() -> None:
    result = run_training(PROBLEM, training_job(SMALL, Extent.of(500, 200), seed=0))
    dense = PROBLEM.board.judge(SMALL).operations
    assert 0 < result["effective_operations"] < dense


def test_a_diverging_training_scores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverges(*_: object, **__: object) -> None:
        raise InputError("training diverged")

    monkeypatch.setattr("toolchain.training.course.Course.run", diverges)
    result = run_training(PROBLEM, training_job(SMALL, Extent.of(500, 200), seed=0))
    assert result["quality"] == 0.0 and result["held_out"] == 100


def test_spike_rates_are_shares_of_what_could_fire() -> None:
    from toolchain.network.quantized import QuantizedNetwork
    from toolchain.network.spiking import SpikingNetwork

    graph = PROBLEM.board.graph(SMALL)
    rates = trainings.spike_rates(QuantizedNetwork(SpikingNetwork(graph).eval()), bars().train)
    assert set(rates) == {"stem", "cell0_node3"} and all(0 <= rate <= 1 for rate in rates.values())
    assert max_count(graph) > 0
