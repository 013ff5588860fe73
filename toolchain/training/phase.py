"""One training of one network, a step at a time, that can stop behind any step and go on as if it had not.

Nothing random is kept between steps: the order of an epoch's images and the variants of a step's are drawn from
the seed, the phase, the epoch and the step. So the weights, the optimizer's moments, the averages and the number
of steps done are all that a phase is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from toolchain.datasets import Subset
from toolchain.errors import InputError
from toolchain.training.augmentation import mirrored, shifted
from toolchain.training.averaging import Average
from toolchain.training.objective import Objective
from toolchain.training.recipe import Recipe

PhaseName = Literal["teacher", "float", "integer"]
_NUMBERS: dict[PhaseName, int] = {"teacher": 2, "float": 0, "integer": 1}

Loss = Callable[[Tensor, Tensor], Tensor]
"""From a batch's pixels, as training varies them, and its targets to the scalar to be minimized."""


MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of each weight, under torch's names."""


class DivergedError(InputError):
    """The loss or a weight is no longer finite, and going on from before would give the same again."""


@dataclass(frozen=True)
class Extent:
    """How long and how fast a phase trains."""

    epochs: int
    rate: float
    weight_decay: float


class Phase:
    """Minimizes ``loss`` with AdamW on variants of ``data``; ``step`` counts the steps done."""

    def __init__(
        self,
        name: PhaseName,
        network: nn.Module,
        data: Subset,
        objective: Objective,
        plan: Recipe,
        extent: Extent,
        loss: Loss,
        *,
        seed: int,
    ) -> None:
        self.name, self.network, self.data = name, network, data
        self.objective, self.plan, self.extent, self.loss, self.seed = objective, plan, extent, loss, seed
        self.batch = min(plan.batch, len(data))
        self.steps_an_epoch = len(data) // self.batch
        self.step, self.total_loss = 0, 0.0
        self.optimizer = torch.optim.AdamW(_groups(network, extent.weight_decay), lr=extent.rate)
        self.average = Average(network, plan.average) if plan.average else None
        self._order: tuple[int, Tensor] | None = None

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.steps_an_epoch * self.extent.epochs

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.step // self.steps_an_epoch

    @property
    def at_epoch_end(self) -> bool:
        """Whether an epoch has just ended."""
        return self.step > 0 and self.step % self.steps_an_epoch == 0

    @property
    def mean_loss(self) -> float:
        """Mean loss of the epoch's steps so far; of the whole epoch where one has just ended."""
        return self.total_loss / ((self.step - 1) % self.steps_an_epoch + 1)

    def advance(self) -> None:
        """One step. Raises ``DivergedError`` if the loss or, as an epoch ends, a weight is infinite or undefined."""
        within = self.step % self.steps_an_epoch
        if within == 0:
            self.total_loss = 0.0
        pixels, targets = self._batch(within)
        self.network.train()
        loss = self.loss(pixels, targets)
        self._require_finite(loss)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, self.steps, self.extent.rate, self.plan.warm_up)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        self.total_loss += loss.item()
        if within == self.steps_an_epoch - 1:
            # A potential that is not a number does not fire, and so the loss does not show it.
            self._require_finite(*self.network.state_dict().values())
        self.step += 1

    def _require_finite(self, *values: Tensor) -> None:
        if not all(bool(torch.isfinite(each).all()) for each in values):
            raise DivergedError(
                f"training diverged in epoch {self.epoch + 1}; train again with another --seed"
            )

    def finish(self) -> None:
        """Give the network the weights that the phase ends with."""
        if self.average is not None:
            self.average.write(self.average.values)

    def tensors(self) -> dict[str, Tensor]:
        """Everything but ``step`` and ``total_loss`` that the phase goes on from."""
        found = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                found[f"optimizer.{name}.{key}"] = value
        if self.average is not None:
            found |= {f"average.{name}": value for name, value in self.average.values.items()}
        return found

    def restore(self, tensors: Mapping[str, Tensor], step: int, total_loss: float) -> None:
        """Go on from what ``tensors`` gave. Raises ``KeyError`` or ``ValueError`` if it is another phase's."""
        if not 0 <= step <= self.steps:
            raise ValueError(f"the phase has {self.steps} steps, not {step}")
        require_like(tensors, self._like(step))
        self.step, self.total_loss = step, total_loss
        own = self.network.state_dict()
        self.network.load_state_dict({name: tensors[f"network.{name}"] for name in own})
        for name, parameter in self.network.named_parameters():
            if step:
                moments = {
                    key: tensors[f"optimizer.{name}.{key}"].to(parameter.device, copy=True) for key in MOMENTS
                }
                # AdamW counts its steps on the processor, wherever the weights are.
                self.optimizer.state[parameter] = {
                    "step": tensors[f"optimizer.{name}.step"].clone()
                } | moments
        if self.average is not None:
            self.average.steps = step
            self.average.values = {
                name: tensors[f"average.{name}"].to(value.device, copy=True)
                for name, value in self.average.values.items()
            }

    def _like(self, step: int) -> dict[str, Tensor]:
        """Tensors of the names, shapes and types that ``tensors`` has behind ``step`` steps."""
        found = self.tensors()
        if step:
            for name, parameter in self.network.named_parameters():
                found[f"optimizer.{name}.step"] = torch.zeros(())
                found |= {f"optimizer.{name}.{key}": parameter for key in MOMENTS}
        return found

    def _batch(self, within: int) -> tuple[Tensor, Tensor]:
        epoch = self.epoch
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, torch.randperm(len(self.data), generator=self._generator(epoch))
        chosen = self._order[1][within * self.batch : (within + 1) * self.batch].numpy()
        pixels, targets = (
            torch.from_numpy(self.data.images[chosen]),
            torch.from_numpy(self.data.targets[chosen]),
        )
        if self.objective.keeps_targets_when_shifted:
            generator = self._generator(epoch, within)
            pixels = shifted(pixels, self.plan.shift, generator)
            if self.plan.mirror:
                pixels = mirrored(pixels, generator)
        return pixels, targets

    def _generator(self, *where: int) -> torch.Generator:
        drawn = np.random.SeedSequence((self.seed, _NUMBERS[self.name], *where)).generate_state(2, np.uint32)
        return torch.Generator().manual_seed(int(drawn[0]) << 32 | int(drawn[1]))


def require_like(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> None:
    """Raise ``KeyError`` or ``ValueError`` unless ``tensors`` has finite values in the shapes and types of ``like``."""
    for name, own in like.items():
        value = tensors[name]
        if (value.shape, value.dtype) != (own.shape, own.dtype):
            raise ValueError(
                f"{name} is {value.dtype} {list(value.shape)}, not {own.dtype} {list(own.shape)}"
            )
        if not torch.isfinite(value).all():
            raise ValueError(f"{name} is not finite")


def rate_at(step: int, steps: int, peak: float, warm_up: float) -> float:
    """The learning rate of a step: up along half a cosine over ``warm_up`` of the steps, then down along another
    (Smith and Topin, arXiv 1708.07120, with a cosine: Loshchilov and Hutter, arXiv 1608.03983)."""
    rising = warm_up * steps
    if step < rising:
        return peak * (0.04 + 0.96 * (1 - math.cos(math.pi * step / rising)) / 2)
    return peak * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1))) / 2


def seconds_per_epoch(phase: Phase, probes: int = 3) -> float:
    """Estimate an epoch's seconds from a few steps; what the steps learnt is lost again."""
    durations, kept = [], {name: value.clone() for name, value in phase.tensors().items()}
    for _ in range(min(probes, phase.steps)):
        start = time.perf_counter()
        phase.advance()
        durations.append(time.perf_counter() - start)
    phase.network.load_state_dict({name: kept[f"network.{name}"] for name in phase.network.state_dict()})
    # The first step also allocates; the fastest is the closest to what a long run sees.
    return min(durations) * phase.steps_an_epoch


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weights decay; biases and the gains of normalization, whose scale is what they mean, do not."""
    weights = [values for values in network.parameters() if values.ndim > 1]
    others = [values for values in network.parameters() if values.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
