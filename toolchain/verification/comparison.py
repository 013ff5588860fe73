"""The same images through the reference and through a runtime: every integer must be the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.dataset import Targets
from toolchain.graph.reference import predictions
from toolchain.verification.runtimes.base import Evidence

Scores = NDArray[np.int32]


@dataclass(frozen=True)
class Difference:
    """One score that differs: the image's index, the class, the reference's integer and the runtime's."""

    image: int
    label: str
    expected: int
    got: int


@dataclass(frozen=True)
class Comparison:
    """How a runtime's scores of ``images`` images compare with the reference's.

    ``correct`` and ``reference_correct`` count images whose arg max is the target; ``agreeing`` those whose
    arg max is the reference's.
    """

    artifact: str
    runtime: str
    evidence: Evidence
    images: int
    integers: int
    differing: int
    first: Difference | None
    agreeing: int
    correct: int
    reference_correct: int

    @property
    def accuracy(self) -> float:
        """Share of the images that the runtime classified correctly."""
        return self.correct / self.images if self.images else 0.0


def compare(
    artifact: str,
    runtime: str,
    evidence: Evidence,
    expected: Scores,
    got: Scores,
    targets: Targets,
    labels: Iterable[str],
) -> Comparison:
    """Compare scores [n, classes] with the reference's ``expected`` of the same images.

    A runtime that gives scores of another shape differs in all of them.
    """
    reference = predictions(expected)
    shared = (artifact, runtime, evidence, len(expected), expected.size)
    reference_correct = int((reference == targets).sum())
    if got.shape != expected.shape:
        first = Difference(0, "(shape)", expected.size, got.size)
        return Comparison(*shared, expected.size, first, 0, 0, reference_correct)
    wrong = expected != got
    found = predictions(got)
    return Comparison(
        *shared,
        differing=int(wrong.sum()),
        first=_first(wrong, expected, got, tuple(labels)),
        agreeing=int((found == reference).sum()),
        correct=int((found == targets).sum()),
        reference_correct=reference_correct,
    )


def sentence(found: Comparison) -> str:
    """What differs, for the user; empty if nothing does."""
    if not found.differing or found.first is None:
        return ""
    first = found.first
    return (
        f"{found.artifact} in {found.runtime}: {found.differing} of {found.integers} integers differ from the "
        f"reference, first image {first.image}, class {first.label}: {first.got} instead of {first.expected}"
    )


def _first(
    wrong: NDArray[np.bool_], expected: Scores, got: Scores, labels: tuple[str, ...]
) -> Difference | None:
    where = np.argwhere(wrong)
    if not len(where):
        return None
    image, label = (int(index) for index in where[0])
    return Difference(image, labels[label], int(expected[image, label]), int(got[image, label]))
