from __future__ import annotations

import pytest
import torch

from tests.support.data import bars
from toolchain.architecture.snasnet import parse
from toolchain.datasets import load
from toolchain.errors import InputError
from toolchain.search.snasnet.training import train

TINY = "snasnet t2 stem8/1 003000 pool2 fc64 voters2"


def quiet(message: str) -> None:
    pass


def test_a_tiny_network_learns_the_digits() -> None:
    messages: list[str] = []
    result = train(parse(TINY), load("digits", size=8), seed=0, epochs=8, progress=messages.append)
    assert result.test_accuracy > 0.5  # chance is a tenth; 77 to 81 % were seen with three seeds
    assert result.validation_accuracy > 0.5
    assert not result.network.training
    assert len(messages) == result.plan.epochs == 8


def test_the_same_seed_gives_the_same_network() -> None:
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(states))
        network = train(parse(TINY), bars(60), seed=seed, epochs=2, progress=quiet).network
        states.append(torch.cat([values.flatten() for values in network.parameters()]))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_images_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="leaves nothing"):
        train(parse(TINY.replace("pool2", "pool4")), bars(60, side=6), seed=0, progress=quiet)
