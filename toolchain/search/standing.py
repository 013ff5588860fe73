"""What a user sees while candidates train: how many have, which leads, and how long it will take."""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.architecture.text import to_text
from toolchain.durations import spoken
from toolchain.measures import MEASURES, Task
from toolchain.search.candidates import Trained
from toolchain.search.evaluation import Evaluation
from toolchain.search.finalists import Rung


class Standing:
    """Told of each training as it ends; prints a line for it."""

    def __init__(self, evaluation: Evaluation, plan: Sequence[Rung], task: Task) -> None:
        self._evaluation, self._plan = evaluation, plan
        self._measure = MEASURES[task]
        self._work = sum(rung.work for rung in plan)
        self._done = 0.0
        self._ended: dict[int, int] = {}
        self._best: Trained | None = None

    def seen(self, trained: Trained) -> None:
        """A training ended; ``trained`` has its outcome alone."""
        best = self._best
        if best is None or (trained.rung, trained.quality) > (best.rung, best.quality):
            self._best = best = trained
        self._ended[trained.rung] = self._ended.get(trained.rung, 0) + 1
        self._done += trained.extent.images_seen
        rung = self._plan[trained.rung]
        trainings = rung.candidates * len(rung.seeds)
        ended = self._ended[trained.rung]
        of = f" of {trainings}" if ended <= trainings else ""
        self._evaluation.progress(
            f"rung {trained.rung + 1} of {len(self._plan)}: {ended}{of} trained,"
            f" {self._measure.sentence(trained.quality)}"
            f" {to_text(trained.candidate.architecture)}; best so far {self._measure.sentence(best.quality)}"
            f"{self._left()}"
        )

    def _left(self) -> str:
        budget_s = self._evaluation.time_left_s
        if budget_s is not None:
            return f", {spoken(budget_s)} left"
        share = min(1.0, self._done / self._work)
        passed = self._evaluation.elapsed_s
        return f", about {spoken(passed * (1 - share) / share)} left" if share < 1 else ""
