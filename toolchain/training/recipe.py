"""How long and how fast to train: a recipe follows from the number of images, the user, or the time there is."""

from __future__ import annotations

from dataclasses import dataclass

IMAGES_SEEN = 400_000
"""Training images, counted over epochs: chosen so that Fashion-MNIST trains in minutes on two cores, not tuned."""

MIN_EPOCHS, MAX_EPOCHS = 6, 24
QUANTIZED_SHARE = 0.3
"""Share of the epochs that fine-tunes in integers. They start from a trained network and need fewer."""

QUANTIZED_COST = 1.3
"""Time of an integer epoch in float epochs, as seen on the digits; used only to fit a time budget."""


@dataclass(frozen=True)
class Recipe:
    """Epochs of both phases, images a batch, and the peak learning rates of AdamW under a one-cycle schedule."""

    float_epochs: int
    quantized_epochs: int
    batch: int
    float_rate: float = 5e-3
    quantized_rate: float = 1e-3
    weight_decay: float = 1e-4

    @property
    def epochs(self) -> int:
        """Epochs in all."""
        return self.float_epochs + self.quantized_epochs


def recipe(images: int, epochs: int | None = None) -> Recipe:
    """The recipe for a training set of ``images``, with the user's number of epochs if there is one."""
    if epochs is None:
        epochs = min(MAX_EPOCHS, max(MIN_EPOCHS, round(IMAGES_SEEN / max(images, 1))))
    quantized = max(1, round(epochs * QUANTIZED_SHARE))
    # Small sets need small batches to get enough steps out of an epoch.
    return Recipe(max(1, epochs - quantized), quantized, batch=50 if images < 5_000 else 128)


def epochs_in(seconds: float, seconds_per_epoch: float) -> int:
    """Epochs of both phases that fit into ``seconds``; at least two, one for each phase."""
    average = seconds_per_epoch * (1 - QUANTIZED_SHARE + QUANTIZED_SHARE * QUANTIZED_COST)
    return max(2, int(seconds / average))
