"""How to train: a recipe follows from the number of images, the user, or the time there is.

What is on by default, and what it is worth, is measured in ``docs/training.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from toolchain.settings import TrainingSettings

IMAGES_SEEN = 400_000
"""Training images, counted over epochs: chosen so that Fashion-MNIST trains in minutes on two cores, not tuned."""

MIN_EPOCHS, MAX_EPOCHS = 6, 24
QUANTIZED_SHARE, NARROW_SHARE = 0.15, 0.3
"""Share of the epochs that fine-tunes in integers, which starts from a trained network; of 8 bits, and of fewer."""

SHIFT, EPOCHS_TO_SHIFT = 1 / 16, 12
"""Images move by at most this share of their shorter side, if they are seen so many times: over three seeds that
lifted the digits (24 epochs) from 98.1 to 98.7 % in the mean, and it cost Fashion-MNIST more than a point in 4."""

TEACHER_LOSS = 0.5
"""A teacher's share of the loss, where there is one."""

TEACHER_SHARE = 0.5
"""Epochs of a teacher for each float epoch of the network that learns from it."""

LESSON_COST = 1 / 3
"""Time of what a teacher says of an epoch's images in epochs of its own training: a forward pass alone."""

Precision = Literal["float32", "bfloat16"]

QUANTIZED_COST: dict[Precision, float] = {"float32": 1.1, "bfloat16": 1.3}
"""Time of an integer epoch, which is always in float32, in float epochs of each precision, as seen on a server core."""


@dataclass(frozen=True)
class Recipe:
    """All that decides what a training does with its data, but the seed.

    ``float_rate`` and ``quantized_rate``: peaks of AdamW's learning rate, which rises over ``warm_up`` of a phase's
    steps and falls along half a cosine. ``average``: decay of the moving average of weights that is kept in the
    end, 0 for none. ``shift``: images move by at most this share of their shorter side. ``mirror``: half of them
    are mirrored left to right. ``distillation``: share of the loss that is a teacher's, which trains before for
    ``teacher_epochs``. ``spike_rate``: synaptic operations to aim at, as a share of the dense ones; None for any.
    ``precision``: that of the float phase's maps, and of the integer phase's gradients.
    """

    float_epochs: int
    quantized_epochs: int
    batch: int
    float_rate: float = 5e-3
    quantized_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.2
    label_smoothing: float = 0.0
    average: float = 0.0
    shift: float = 0.0
    mirror: bool = False
    distillation: float = 0.0
    teacher_epochs: int = 0
    spike_rate: float | None = None
    precision: Precision = "float32"

    @property
    def epochs(self) -> int:
        """Epochs of the network in all; a teacher's are its own."""
        return self.float_epochs + self.quantized_epochs


def recipe(images: int, epochs: int | None = None, *, narrow: bool = False) -> Recipe:
    """The recipe for a training set of ``images``, with the user's number of epochs if there is one.

    ``narrow``: some weights have fewer than 8 bits.
    """
    if epochs is None:
        epochs = min(MAX_EPOCHS, max(MIN_EPOCHS, round(IMAGES_SEEN / max(images, 1))))
    quantized = max(1, round(epochs * (NARROW_SHARE if narrow else QUANTIZED_SHARE)))
    # Small sets need small batches to get enough steps out of an epoch.
    batch = 50 if images < 5_000 else 128
    shift = SHIFT if epochs >= EPOCHS_TO_SHIFT else 0.0
    return Recipe(max(1, epochs - quantized), quantized, batch, shift=shift)


def with_options(plan: Recipe, wanted: TrainingSettings) -> Recipe:
    """``plan`` with what the user has said; None leaves a value."""
    chosen = {
        name: value
        for name in ("mirror", "spike_rate", "label_smoothing", "average", "distillation", "precision")
        if (value := getattr(wanted, name)) is not None
    }
    plan = replace(plan, **chosen)
    epochs = max(1, round(plan.float_epochs * TEACHER_SHARE)) if plan.distillation else 0
    return replace(plan, teacher_epochs=epochs)


def epochs_in(seconds: float, seconds_per_epoch: float, plan: Recipe) -> int:
    """Epochs of both phases that fit into ``seconds``, shared as ``plan`` shares them; at least one for each.

    ``seconds_per_epoch``: of the float phase.
    """
    share = plan.quantized_epochs / plan.epochs
    average = seconds_per_epoch * (1 - share + share * QUANTIZED_COST[plan.precision])
    return max(2, int(seconds / average))
