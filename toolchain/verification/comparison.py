"""The same images through the reference and through a runtime: every integer must be the same.

What differs is told by output, by image, and (``divergence``) by spike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.dataset import Targets
from toolchain.graph.reference import predictions
from toolchain.quality import Floats, mean_absolute_errors, r2
from toolchain.verification.divergence import Divergence
from toolchain.verification.runtimes.base import Evidence

Scores = NDArray[np.int32]
Values = Callable[[Scores], Floats]


@dataclass(frozen=True)
class Difference:
    """One score that differs: the image's index, the class or number, the reference's integer and the runtime's."""

    image: int
    label: str
    expected: int
    got: int


@dataclass(frozen=True)
class OutputDifference:
    """A class or number whose scores differ in ``images`` images, by at most ``largest``."""

    label: str
    images: int
    largest: int


@dataclass(frozen=True)
class NumberQuality:
    """How well a runtime tells one number: R2, the reference's own, and the mean |error| in the number's unit."""

    label: str
    r2: float
    reference_r2: float
    mean_absolute_error: float


@dataclass(frozen=True)
class Comparison:
    """How a runtime's scores of ``images`` images compare with the reference's.

    Of classes, ``correct`` and ``reference_correct`` count images whose arg max is the target, ``agreeing`` those
    whose arg max is the reference's; of a regression they are None, and ``numbers`` are what it tells.

    Where integers differ, ``by_output`` has each output that does, ``differing_images`` counts the images,
    ``largest`` is the largest difference of a score, and ``spikes`` says where spikes first differ, if the runtime
    shows its spikes.
    """

    artifact: str
    runtime: str
    evidence: Evidence
    images: int
    integers: int
    differing: int
    first: Difference | None
    agreeing: int | None
    correct: int | None
    reference_correct: int | None
    numbers: tuple[NumberQuality, ...] = ()
    by_output: tuple[OutputDifference, ...] = ()
    differing_images: int = 0
    largest: int = 0
    spikes: Divergence | None = None

    @property
    def accuracy(self) -> float | None:
        """Share of the images that the runtime classified correctly; None of a regression."""
        if self.correct is None:
            return None
        return self.correct / self.images if self.images else 0.0

    @property
    def reference_accuracy(self) -> float | None:
        """The reference's own."""
        if self.reference_correct is None:
            return None
        return self.reference_correct / self.images if self.images else 0.0


def compare(
    artifact: str,
    runtime: str,
    evidence: Evidence,
    expected: Scores,
    got: Scores,
    targets: Targets,
    labels: Iterable[str],
    values: Values | None = None,
) -> Comparison:
    """Compare scores [n, classes] with the reference's ``expected`` of the same images.

    ``values`` says that the scores are those of a regression, and turns them into its numbers. A runtime that
    gives scores of another shape differs in all of them.
    """
    names = tuple(labels)
    comparable = got.shape == expected.shape
    wrong = expected != got if comparable else np.ones_like(expected, np.bool_)
    first = _first(wrong, expected, got, names) if comparable else _other_shape(expected, got)
    agreeing, correct, reference_correct = (
        (None, None, None) if values else _counts(expected, got, targets, comparable)
    )
    return Comparison(
        artifact,
        runtime,
        evidence,
        len(expected),
        expected.size,
        int(wrong.sum()),
        first,
        agreeing,
        correct,
        reference_correct,
        _numbers(expected, got, targets, names, values) if values and comparable else (),
        _by_output(expected, got, names) if comparable else (),
        int(wrong.any(axis=1).sum()),
        int(_distance(expected, got).max(initial=0)) if comparable else 0,
    )


def sentence(found: Comparison) -> str:
    """What differs, for the user; empty if nothing does."""
    if not found.differing or found.first is None:
        return ""
    first = found.first
    kind = "class" if found.correct is not None else "number"
    where = f"; {found.spikes.sentence}" if found.spikes else ""
    return (
        f"{found.artifact} in {found.runtime}: {found.differing} of {found.integers} integers differ from the "
        f"reference, in {found.differing_images} of {found.images} images, first image {first.image}, {kind} "
        f"{first.label}: {first.got} instead of {first.expected}{where}"
    )


def _counts(expected: Scores, got: Scores, targets: Targets, comparable: bool) -> tuple[int, int, int]:
    """Images whose class agrees with the reference's, is correct, and is correct by the reference."""
    reference = predictions(expected)
    reference_correct = int((reference == targets).sum())
    if not comparable:
        return 0, 0, reference_correct
    found = predictions(got)
    return int((found == reference).sum()), int((found == targets).sum()), reference_correct


def _numbers(
    expected: Scores, got: Scores, targets: Targets, labels: tuple[str, ...], values: Values
) -> tuple[NumberQuality, ...]:
    found = values(got)
    figures = (r2(found, targets), r2(values(expected), targets), mean_absolute_errors(found, targets))
    return tuple(map(NumberQuality, labels, *(each.tolist() for each in figures)))


def _by_output(expected: Scores, got: Scores, labels: tuple[str, ...]) -> tuple[OutputDifference, ...]:
    apart = _distance(expected, got)
    return tuple(
        OutputDifference(label, int(np.count_nonzero(column)), int(column.max()))
        for label, column in zip(labels, apart.T, strict=True)
        if column.any()
    )


def _distance(expected: Scores, got: Scores) -> NDArray[np.int64]:
    """|expected - got|, which may need more than 32 bits."""
    return np.abs(expected.astype(np.int64) - got)


def _other_shape(expected: Scores, got: Scores) -> Difference:
    return Difference(0, "(shape)", expected.size, got.size)


def _first(
    wrong: NDArray[np.bool_], expected: Scores, got: Scores, labels: tuple[str, ...]
) -> Difference | None:
    where = np.argwhere(wrong)
    if not len(where):
        return None
    image, label = (int(index) for index in where[0])
    return Difference(image, labels[label], int(expected[image, label]), int(got[image, label]))
