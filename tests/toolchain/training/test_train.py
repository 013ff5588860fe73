from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.data import bars
from tests.toolchain.training.small import network
from toolchain.cost.operations import operations
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.settings import TrainingSettings
from toolchain.training import train as module
from toolchain.training.recipe import epochs_in
from toolchain.training.train import images_to_compare, train


def quiet(message: str) -> None:
    pass


def test_training_learns_and_is_exact() -> None:
    data = bars(240)
    messages: list[str] = []
    result = train(network(), data, TrainingSettings(epochs=20), progress=messages.append)
    report = result.report
    assert report.test_quality > 0.8 and not report.at_chance  # chance is a third
    assert report.differing_integers == 0 and report.compared_images == 60
    scores = reference.scores(result.graph, data.test.images)
    assert report.test_quality == (reference.predictions(scores) == data.test.targets).mean()
    assert report.recipe.epochs == 20 and report.test_images == 60
    assert any("integer" in message for message in messages)
    assert not any("warning" in message for message in messages)


def test_a_training_that_ends_at_chance_is_told() -> None:
    data = bars(240)
    training = replace(data.train, targets=np.roll(data.train.targets, 1))  # each image has another's class
    messages: list[str] = []
    settings = TrainingSettings(epochs=2)
    report = train(network(), replace(data, train=training), settings, progress=messages.append).report
    assert report.at_chance and report.to_dict()["at_chance"]
    (told,) = [message for message in messages if "warning" in message]
    assert "no better than always answering the most frequent class" in told and "--epochs" in told


def test_the_same_seed_gives_the_same_network() -> None:
    data = bars(60)
    runs = [
        train(network(), data, TrainingSettings(seed=seed, epochs=2), progress=quiet) for seed in (1, 1, 2)
    ]
    first, again, other = (run.graph.sha256() for run in runs)
    assert first == again != other


def test_a_time_budget_shortens_training() -> None:
    result = train(network(), bars(60), TrainingSettings(time_budget_s=0.001), progress=quiet)
    assert result.report.recipe.epochs == 2


def test_a_teacher_takes_of_the_time_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"float": 1.0, "teacher": 6.0}
    monkeypatch.setattr(module, "seconds_per_epoch", lambda phase: seconds[phase.name])
    alone, taught = (
        module._plan(network(), bars(60), TrainingSettings(time_budget_s=20.0, distillation=share))
        for share in (None, 0.5)
    )
    assert alone.epochs == epochs_in(20.0, 1.0, alone) > 15
    assert taught.epochs == epochs_in(20.0, 1 + 6 * (1 / 2 + 1 / 3), taught) == 3


def test_spikes_that_no_layer_convolves_cannot_be_saved() -> None:
    whole = network()
    stem = replace(whole, nodes=(*whole.nodes[:2], replace(whole.head, source="stem")))
    with pytest.raises(InputError, match="leave --spike-rate out"):
        train(stem, bars(60), TrainingSettings(epochs=2, spike_rate=0.1), progress=pytest.fail)


def test_large_networks_are_compared_on_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network()
    assert images_to_compare(graph) > 10_000
    monkeypatch.setattr("toolchain.training.train.COMPARED_OPERATIONS", 1_000 * operations(graph).dense)
    assert images_to_compare(graph) == 1_000
    monkeypatch.setattr("toolchain.training.train.COMPARED_OPERATIONS", 1)
    assert images_to_compare(graph) == 100
