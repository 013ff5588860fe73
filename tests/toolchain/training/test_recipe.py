from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.training.recipe import MAX_EPOCHS, MIN_EPOCHS, Recipe, epochs_in, recipe


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
    plan = Recipe(8, 2, 50)  # a fifth of the epochs costs 1.1 times as much
    assert epochs_in(102.1, 10.0, plan) == 10 and epochs_in(101.9, 10.0, plan) == 9
    assert epochs_in(102.1, 10.0, replace(plan, precision="bfloat16")) == 9
    assert epochs_in(1.0, 10.0, plan) == 2


def test_few_epochs_leave_images_where_they_are() -> None:
    assert recipe(100, 11).shift == 0 < recipe(100, 12).shift
