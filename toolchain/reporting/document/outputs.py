"""What the network says of the test images."""

from __future__ import annotations

from pydantic import Field

from toolchain.reporting.document.part import Evidence, Part


class Example(Part):
    """A test image (its index): what it is and what the network says; numbers for a regression.

    ``margin`` is how much higher the highest score is than the one it is to be; 0 where it is right.
    """

    image: int
    target: str
    predicted: str
    right: bool
    margin: float | None = None
    picture: str = Field(default="", exclude=True)


class Confusion(Part):
    """``matrix[i][j]``: images of class i that the network takes for class j."""

    labels: list[str]
    matrix: list[list[int]]
    examples: list[Example]


class Number(Part):
    """One output of a regression: R2, mean |error|, and (target, predicted) of up to 200 images, in its own unit."""

    label: str
    r2: float
    mean_absolute_error: float
    points: list[tuple[float, float]]


class Outputs(Part):
    """What the network says of ``images`` of the test images: the reference's integers, which every artifact gives."""

    images: int
    of_images: int
    evidence: Evidence
    confusion: Confusion | None
    numbers: list[Number]
    examples: list[Example]
