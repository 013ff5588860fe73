"""What a network is trained towards and judged by: classes, or numbers.

An ``Objective`` is all that training and search know of the task. Outputs are a network's logits [n, k]: its
scores in units of 1.0. For numbers an output is the value divided by 2**shift of its ``Scale``, so that all
outputs weigh alike and scores become values by moving the binary point: nothing has to be folded afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from toolchain.datasets.dataset import Dataset, Scale
from toolchain.measures import MEASURES, Measure
from toolchain.quality import r2, share_correct

Outputs = NDArray[Any]

TEMPERATURE = 2.0
"""Divides the outputs of pupil and teacher before they are compared, so that unlikely classes tell something too."""


class Objective(Protocol):
    """A task; ``Classification`` and ``Regression`` below."""

    @property
    def measure(self) -> Measure:
        """What the quality is called, and how it is written."""

    @property
    def keeps_targets_when_shifted(self) -> bool:
        """Whether an image that is moved by a pixel has the same target: only then may training move images."""

    @property
    def lowest(self) -> float:
        """The quality of a network whose training diverged."""

    def prepare(self, readout: nn.Linear) -> None:
        """Set the bias of a network's last layer to what is best before anything is learnt; in place."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The scalar to be minimized, of outputs [n, k] and targets as a ``Subset`` has them."""

    def imitation(self, outputs: Tensor, lesson: Tensor) -> Tensor:
        """The scalar to be minimized, of outputs [n, k] and a teacher's."""

    def quality(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """How good outputs [n, k] are; higher is better, 1 is best."""

    def standard_error(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """Standard error of ``quality`` that comes from these images being a sample."""

    def at_chance(self, quality: float, targets: NDArray[Any]) -> bool:
        """Whether a constant output could have this quality on images with these ``targets``."""

    def text(self, quality: float) -> str:
        """A quality in words, as in ``98.33%`` or ``R2 0.913``."""


def objective(data: Dataset, *, label_smoothing: float = 0.0) -> Objective:
    """The objective of a data set; ``label_smoothing`` is for classes alone."""
    return Regression(data.scales) if data.scales else Classification(label_smoothing)


@dataclass(frozen=True)
class Classification:
    """Cross-entropy, judged by the share of images whose highest output is their class's.

    ``label_smoothing`` gives that share of the target to all classes alike (Szegedy et al., arXiv 1512.00567).
    """

    label_smoothing: float = 0.0
    measure: ClassVar[Measure] = MEASURES["classification"]
    keeps_targets_when_shifted: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    def prepare(self, readout: nn.Linear) -> None:
        """Nothing: no class is more likely than another."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy; ``targets`` int64 [n]."""
        return functional.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def imitation(self, outputs: Tensor, lesson: Tensor) -> Tensor:
        """Relative entropy of softened classes (Hinton, Vinyals and Dean, arXiv 1503.02531), times temperature^2."""
        soft = functional.log_softmax(outputs / TEMPERATURE, 1)
        wanted = functional.log_softmax(lesson / TEMPERATURE, 1)
        return TEMPERATURE**2 * functional.kl_div(soft, wanted, reduction="batchmean", log_target=True)

    def quality(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """Share of images classified correctly; of equal outputs the first counts."""
        return share_correct(outputs, targets)

    def standard_error(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """sqrt(a (1 - a) / n), the binomial one."""
        share = share_correct(outputs, targets)
        return _binomial_error(share, len(targets))

    def at_chance(self, quality: float, targets: NDArray[Any]) -> bool:
        """Whether it is within one standard error of the share of the largest class, or below."""
        share = float(np.bincount(targets).max()) / len(targets)
        return quality <= share + _binomial_error(share, len(targets))

    def text(self, quality: float) -> str:
        return self.measure.sentence(quality)


def _binomial_error(share: float, count: int) -> float:
    return math.sqrt(share * (1 - share) / count)


@dataclass(frozen=True)
class Regression:
    """Huber's loss in units of each output's scale, judged by R2, the mean over the outputs.

    Squared error up to one unit, about a standard deviation, and linear beyond: a few wrong targets do not decide.
    """

    scales: Sequence[Scale]
    measure: ClassVar[Measure] = MEASURES["regression"]
    # Where something is in the image is what many are after.
    keeps_targets_when_shifted: ClassVar[bool] = False
    lowest: ClassVar[float] = -1.0

    def prepare(self, readout: nn.Linear) -> None:
        """Start at the targets' mean: weights that learn a spread of 1 would take long to find a large offset."""
        with torch.no_grad():
            readout.bias.copy_(torch.tensor([scale.mean / scale.unit for scale in self.scales]))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean Huber loss; ``targets`` float32 [n, k] in their own units."""
        return functional.huber_loss(outputs, targets / torch.from_numpy(self._units).to(outputs))

    def imitation(self, outputs: Tensor, lesson: Tensor) -> Tensor:
        """Mean Huber loss."""
        return functional.huber_loss(outputs, lesson)

    def quality(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """Mean R2 of the outputs, each at least -1: one that failed shall not hide the others, nor a training."""
        found = r2(self.values(outputs), targets)
        # What is not a number is no better than what diverged.
        return float(np.maximum(np.nan_to_num(found, nan=self.lowest), self.lowest).mean())

    def standard_error(self, outputs: Outputs, targets: NDArray[Any]) -> float:
        """By the delta method: R2's influence of image i is ((1 - R2)(t_i - mean(t))^2 - e_i^2) / var(t).

        No distribution is assumed; for normal errors it tends to 2 (1 - R2) sqrt(R2 / n) (Olkin and Finn, 1995).
        """
        wanted = targets.astype(np.float64)
        spread = np.square(wanted - wanted.mean(axis=0))
        error = np.square(self.values(outputs) - wanted)
        variance = np.where(spread.mean(axis=0) > 0, spread.mean(axis=0), 1)
        unexplained = error.mean(axis=0) / variance
        influence = ((unexplained * spread - error) / variance).mean(axis=1)
        return float(influence.std() / math.sqrt(len(wanted)))

    def at_chance(self, quality: float, targets: NDArray[Any]) -> bool:
        """Whether it is 0 or below: the R2 of the targets' mean."""
        return quality <= 0

    def text(self, quality: float) -> str:
        return self.measure.sentence(quality)

    def values(self, outputs: Outputs) -> NDArray[np.float64]:
        """Outputs [n, k] in the targets' own units."""
        return outputs.astype(np.float64) * self._units

    @property
    def _units(self) -> NDArray[np.float64]:
        return np.array([scale.unit for scale in self.scales])
