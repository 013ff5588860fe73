"""What qualities are called and how they are written; nothing is computed here, so nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Measure:
    """A quality: its ``name`` in JSON, ``plural`` for a list of them, its ``title`` at the head of a column.

    ``percent``: it is a share, and written as a percentage. ``constant``: what a network with no better quality than
    chance might as well answer.
    """

    name: str
    plural: str
    title: str
    percent: bool
    constant: str

    def text(self, value: float) -> str:
        """A quality in a table, as in ``98.33%`` or ``0.913``."""
        return f"{value:.2%}" if self.percent else f"{value:.3f}"

    def sentence(self, value: float) -> str:
        """A quality where no column says what it is, as in ``98.33%`` or ``R2 0.913``."""
        return self.text(value) if self.percent else f"{self.title} {self.text(value)}"

    @property
    def at_chance(self) -> str:
        """What to say of a network whose test quality is no better than chance."""
        return (
            f"this test {self.title} is no better than always answering {self.constant}: the network has learnt "
            "nothing; train it for more epochs (`spikenas-deploy train --epochs`) or on more images, and check the "
            "targets"
        )

    def spread(self, value: float) -> str:
        """A deviation or an error of a quality: points of a percentage, or as it is."""
        return f"{100 * value:.2f}" if self.percent else self.text(value)


MEASURES: Mapping[Task, Measure] = MappingProxyType(
    {
        "classification": Measure(
            "accuracy", "accuracies", "accuracy", percent=True, constant="the most frequent class"
        ),
        "regression": Measure("r2", "r2_values", "R2", percent=False, constant="the mean"),
    }
)
