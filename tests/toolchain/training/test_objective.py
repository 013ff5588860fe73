"""Both objectives: what is minimized, what is judged, and how far chance may move it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from toolchain.datasets.dataset import Dataset, Scale, Subset
from toolchain.graph.preprocessing import Preprocessing
from toolchain.training.objective import Classification, Regression, objective

SCALES = (Scale(0.25, -1), Scale(100.0, 4))


def dataset(targets, scales=()):
    subset = Subset(np.zeros((len(targets), 1, 8, 8), np.uint8), targets)
    return Dataset("set", subset, subset, subset, ("a", "b"), Preprocessing(8, 8, "grey"), "", False, scales)


def test_the_data_decide_the_objective():
    classes = dataset(np.zeros(4, np.int64))
    numbers = dataset(np.zeros((4, 2), np.float32), SCALES)
    assert objective(classes, label_smoothing=0.1) == Classification(0.1) and classes.task == "classification"
    assert objective(numbers, label_smoothing=0.1) == Regression(SCALES) and numbers.task == "regression"


def test_a_scale_is_the_mean_and_the_nearest_power_of_two():
    assert Scale.of(np.array([-1, 1], np.float32)) == Scale(0.0, 0)
    assert Scale.of(np.array([97, 103], np.float32)) == Scale(100.0, 2)
    assert Scale.of(np.array([0, 0.25], np.float32)) == Scale(0.125, -3)
    for bad in ([1, 1], [1, np.inf], [1, np.nan]):
        with pytest.raises(ValueError, match="do not vary"):
            Scale.of(np.array(bad, np.float32))


def test_classification_is_cross_entropy_and_share_correct():
    outputs, targets = torch.randn(50, 3), torch.arange(50) % 3
    for smoothing in (0.0, 0.1):
        expected = functional.cross_entropy(outputs, targets, label_smoothing=smoothing)
        assert Classification(smoothing).loss(outputs, targets) == expected
    found = Classification().quality(np.array([[2.0, 1], [0, 1], [1, 0], [5, 5]]), np.array([0, 1, 1, 0]))
    assert found == 0.75
    readout = nn.Linear(4, 3)
    before = readout.bias.clone()
    Classification().prepare(readout)
    assert torch.equal(readout.bias, before)


def test_chance_is_the_largest_class_and_a_standard_error():
    targets = np.array([0] * 60 + [1] * 40)
    error = math.sqrt(0.6 * 0.4 / 100)
    for accuracy, chance in ((0.1, True), (0.6 + 0.99 * error, True), (0.6 + 1.01 * error, False)):
        assert Classification().at_chance(accuracy, targets) is chance


def test_no_variance_explained_is_chance():
    numbers = np.zeros((4, 2), np.float32)
    assert Regression(SCALES).at_chance(0.0, numbers) and not Regression(SCALES).at_chance(0.01, numbers)


def test_regression_starts_at_the_mean_and_weighs_outputs_alike():
    regression = Regression(SCALES)
    readout = nn.Linear(4, 2)
    regression.prepare(readout)
    with torch.no_grad():
        outputs = readout(torch.zeros(1, 4))
    np.testing.assert_array_equal(regression.values(outputs.numpy()), [[0.25, 100.0]])
    # Half a unit off in either output, and then far off, where the loss is linear.
    for off, expected in ((0.5, 0.125 / 2), (3.0, 2.5 / 2)):
        for output, scale in enumerate(SCALES):
            targets = torch.tensor([[0.25, 100.0]])
            targets[0, output] += off * scale.unit
            assert float(regression.loss(outputs, targets)) == pytest.approx(expected)


def test_the_quality_of_numbers_is_in_their_own_unit():
    targets = np.random.default_rng(0).normal([0.25, 100], [0.5, 16], (200, 2)).astype(np.float32)
    regression = Regression(tuple(map(Scale.of, targets.T)))
    units = np.array([scale.unit for scale in regression.scales])
    assert regression.quality(targets / units, targets) == pytest.approx(1.0)
    half = (targets + targets.mean(0)) / 2 / units
    assert regression.quality(half, targets) == pytest.approx(0.75)
    assert regression.text(0.75) == "R2 0.750" and Classification().text(0.75) == "75.00%"


def test_one_failed_output_or_training_does_not_hide_the_others():
    targets = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    regression = Regression((Scale(0.5, 0), Scale(0.5, 0)))
    outputs = targets.copy()
    for bad in (1e6, np.nan, np.inf):
        outputs[0, 1] = bad
        assert regression.quality(outputs, targets) == 0.0 == (1 + regression.lowest) / 2


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_error_of_accuracy_is_that_of_samples(share):
    random = np.random.default_rng(0)
    found, errors = [], []
    for _ in range(300):
        targets = (random.random(400) < share).astype(np.int64)
        outputs = np.tile([0.0, 1.0], (400, 1))
        found.append(Classification().quality(outputs, targets))
        errors.append(Classification().standard_error(outputs, targets))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("uniform", [False, True])
def test_the_error_of_r2_is_that_of_samples(share, uniform):
    random = np.random.default_rng(1)
    regression = Regression((Scale(0.0, 0), Scale(0.0, 2)))
    units = np.array([1.0, 4.0])
    found, errors = [], []
    for _ in range(400):
        known = random.uniform(-(3**0.5), 3**0.5, (300, 2)) if uniform else random.normal(0, 1, (300, 2))
        targets = (math.sqrt(share) * known + math.sqrt(1 - share) * random.normal(0, 1, (300, 2))) * units
        found.append(regression.quality(math.sqrt(share) * known, targets))
        errors.append(regression.standard_error(math.sqrt(share) * known, targets))
    assert np.mean(found) == pytest.approx(share, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)
    if not uniform:  # the published form, of one output; two independent ones halve the variance
        assert np.mean(errors) == pytest.approx(2 * (1 - share) * math.sqrt(share / 600), rel=0.1)


def test_a_readout_learns_numbers_of_any_scale():
    torch.manual_seed(0)
    inputs = torch.randn(400, 5)
    targets = inputs @ torch.tensor([[0.1, 300.0], [0, 200], [0.05, 0], [0, 0], [0, 0]])
    targets = (targets + torch.tensor([7.0, -5000.0])).float()
    regression = Regression(tuple(map(Scale.of, targets.numpy().T)))
    readout = nn.Linear(5, 2)
    regression.prepare(readout)
    optimizer = torch.optim.AdamW(readout.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        regression.loss(readout(inputs), targets).backward()
        optimizer.step()
    assert regression.quality(readout(inputs).detach().numpy(), targets.numpy()) > 0.99
