from __future__ import annotations

import pytest

from toolchain.training.recipe import MAX_EPOCHS, MIN_EPOCHS, epochs_in, recipe


@pytest.mark.parametrize(
    ("images", "epochs", "batch"),
    [(1_300, MAX_EPOCHS, 50), (54_000, 7, 128), (10**7, MIN_EPOCHS, 128), (0, MAX_EPOCHS, 50)],
)
def test_epochs_follow_from_the_number_of_images(images: int, epochs: int, batch: int) -> None:
    plan = recipe(images)
    assert (plan.epochs, plan.batch) == (epochs, batch)


@pytest.mark.parametrize("epochs", [2, 3, 10, 99])
def test_the_users_epochs_are_split_between_both_phases(epochs: int) -> None:
    plan = recipe(1_000, epochs)
    assert plan.epochs == epochs
    assert plan.float_epochs >= plan.quantized_epochs >= 1


def test_one_epoch_still_trains_both_phases() -> None:
    assert (recipe(10, 1).float_epochs, recipe(10, 1).quantized_epochs) == (1, 1)


def test_epochs_that_fit_a_time_budget() -> None:
    assert epochs_in(100.0, 10.0) == 9  # 30 % of the epochs cost 1.3 times as much
    assert epochs_in(1.0, 10.0) == 2
