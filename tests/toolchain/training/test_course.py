"""A whole training: its phases, and stopping and going on in each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.support.data import bars
from tests.toolchain.training.small import network
from toolchain.graph.checks import findings
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.course import Course, Epoch, Stopped
from toolchain.training.objective import Classification
from toolchain.training.phase import PhaseName
from toolchain.training.recipe import Recipe

PLAN = Recipe(
    2,
    2,
    20,
    average=0.9,
    distillation=0.5,
    teacher_epochs=1,
    spike_rate=0.05,
    label_smoothing=0.1,
    mirror=True,
)


class StopAfter:
    """Stops behind so many steps."""

    def __init__(self, steps: int) -> None:
        self.left, self.epochs = steps, list[Epoch]()

    def judge(self, phase: PhaseName, module: nn.Module) -> float:
        return len(self.epochs) / 10

    def epoch_ended(self, course: Course, epoch: Epoch) -> None:
        assert course.history[-1] is epoch
        self.epochs.append(epoch)

    def wants_stop(self) -> bool:
        self.left -= 1
        return self.left == 0


def course(plan: Recipe = PLAN) -> Course:
    return Course(SpikingNetwork(network(), seed=1), bars(120).train, Classification(0.1), plan, seed=1)


@pytest.fixture(scope="module")
def whole() -> str:
    """The network of a course that nothing interrupts."""
    return course().run().graph().sha256()


def test_every_phase_trains_and_says_so() -> None:
    watcher, one = StopAfter(-1), course()
    before = {name: value.clone() for name, value in one.float_network.state_dict().items()}
    assert one.teacher is not None
    untaught = {name: value.clone() for name, value in one.teacher.state_dict().items()}
    quantized = one.run(watcher)
    assert [(epoch.phase, epoch.number) for epoch in one.history] == [
        ("teacher", 1),
        ("float", 1),
        ("float", 2),
        ("integer", 1),
        ("integer", 2),
    ]
    assert [epoch.quality for epoch in one.history] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert any(not torch.equal(value, before[name]) for name, value in one.float_network.state_dict().items())
    assert any(not torch.equal(value, untaught[name]) for name, value in one.teacher.state_dict().items())
    assert findings(quantized.graph()) == [] and not quantized.training


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 8, 11, 14, 15])
def test_a_course_that_goes_on_ends_with_the_same_network(stop: int, whole: str) -> None:
    stopped = course()
    with pytest.raises(Stopped):
        stopped.run(StopAfter(stop))
    kept = stopped.checkpoint()
    kept = replace(kept, tensors={name: value.clone() for name, value in kept.tensors.items()})
    going = course()
    going.restore(kept)
    assert going.phase.name == stopped.phase.name and going.phase.step == stopped.phase.step
    watcher = StopAfter(-1)
    assert going.run(watcher).graph().sha256() == whole
    assert [(epoch.phase, epoch.number) for epoch in going.history][-4:] == [
        ("float", 1),
        ("float", 2),
        ("integer", 1),
        ("integer", 2),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"distillation": 0.0},
        {"spike_rate": None},
        {"average": 0.0},
        {"mirror": False},
        {"label_smoothing": 0.0},
        {"shift": 1 / 4},
        {"float_rate": 1e-3},
    ],
)
def test_every_part_of_the_recipe_makes_another_network(change: dict[str, object], whole: str) -> None:
    plan = replace(PLAN, **change)  # type: ignore[arg-type]
    data, objective = bars(120).train, Classification(plan.label_smoothing)
    found = Course(SpikingNetwork(network(), seed=1), data, objective, plan, seed=1).run()
    assert found.graph().sha256() != whole


def test_bfloat16_is_for_the_float_phase_alone() -> None:
    types = []
    one = course(replace(PLAN, precision="bfloat16", distillation=0.0))
    for name in ("float", "integer"):
        kind = one._begin(name)  # type: ignore[arg-type]
        module = kind.network
        spikes = module.spikes  # type: ignore[operator]

        def noting(pixels: torch.Tensor, spikes: object = spikes) -> object:
            found = spikes(pixels)  # type: ignore[operator]
            types.append(found["node"].dtype)
            return found

        module.spikes = noting  # type: ignore[assignment, operator]
        kind.advance()
    assert types == [torch.bfloat16, torch.float32]


def test_a_low_spike_rate_is_reached_by_firing_less() -> None:
    rates = []
    data, pixels = bars(120).train, torch.from_numpy(bars(120).test.images)
    for aim in (None, 0.01):
        plan = Recipe(30, 6, 10, float_rate=2e-2, spike_rate=aim)
        found = Course(SpikingNetwork(network(), seed=1), data, Classification(), plan, seed=1).run()
        with torch.no_grad():
            rates.append(float(found.spikes(pixels)["stem"].mean()))
    assert rates[1] < rates[0] / 2
