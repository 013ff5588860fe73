"""What a waiting user is told of a training, and when it stops and is kept."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from toolchain.datasets import Subset
from toolchain.durations import spoken
from toolchain.training.course import Course, Epoch
from toolchain.training.evaluation import quality
from toolchain.training.objective import Objective
from toolchain.training.phase import PhaseName
from toolchain.training.recipe import QUANTIZED_COST, Recipe
from toolchain.training.tensorboard import EventFiles

Progress = Callable[[str], None]


class Reporter:
    """A ``course.Watcher`` that judges on ``validation``, tells ``progress``, and calls ``keep`` behind each epoch;
    ``drawn`` are its curves."""

    def __init__(
        self,
        validation: Subset,
        objective: Objective,
        progress: Progress,
        *,
        keep: Callable[[Course], None] = lambda course: None,
        stop: Callable[[], bool] = lambda: False,
        drawn: EventFiles | None = None,
    ) -> None:
        self.validation, self.objective, self.progress = validation, objective, progress
        self.keep, self.stop, self.drawn = keep, stop, drawn

    def judge(self, phase: PhaseName, network: nn.Module) -> float:
        """The quality on validation images."""
        found = quality(network, self.validation, self.objective)
        if self.drawn is not None:
            self.drawn.judged(network)
        return found

    def epoch_ended(self, course: Course, epoch: Epoch) -> None:
        """One line: where the training stands, the best so far of its phase, and the time left."""
        self.keep(course)
        if self.drawn is not None:
            self.drawn.epoch_ended(course, epoch)
        reached = [
            one.quality for one in course.history if one.phase == epoch.phase and one.quality is not None
        ]
        assert epoch.quality is not None
        text, last = self.objective.text, epochs_of(course.plan, epoch.phase)
        self.progress(
            f"  {epoch.phase:<7} {epoch.number:>3}/{last}  loss {epoch.loss:.4f}  validation {text(epoch.quality)}"
            f" (best {text(max(reached))})  {epoch.images_a_second:,.0f} images/s{_left(course, epoch)}"
        )

    def wants_stop(self) -> bool:
        """Whether somebody has interrupted."""
        return self.stop()


def epochs_of(plan: Recipe, phase: PhaseName) -> int:
    """Epochs of a phase."""
    return {"teacher": plan.teacher_epochs, "float": plan.float_epochs, "integer": plan.quantized_epochs}[
        phase
    ]


def _left(course: Course, epoch: Epoch) -> str:
    """How long the rest takes by the present speed; of a teacher only its own rest, as its pupil's is not known."""
    plan, seconds = course.plan, len(course.data) / epoch.images_a_second
    left = (epochs_of(plan, epoch.phase) - epoch.number) * seconds
    if epoch.phase == "float":
        left += (
            plan.quantized_epochs
            * seconds
            * QUANTIZED_COST[plan.precision]
            * len(course.tuning)
            / len(course.data)
        )
    whose = " of the teacher" if epoch.phase == "teacher" else ""
    return f"  {spoken(left)} left{whose}" if left else ""
