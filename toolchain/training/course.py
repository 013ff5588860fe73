"""A network's whole training: a teacher where there is one, then in float from scratch, then in integers.

A ``Course`` stops behind any step and goes on from what ``Checkpoint`` holds with the same weights, bit for bit.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from toolchain.datasets import Subset
from toolchain.graph.nodes import Lif
from toolchain.graph.widths import with_bits
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.activity import SpikeRate
from toolchain.training.narrowing import IMAGES, Fits, choose_bits, sensitivities
from toolchain.training.objective import Objective
from toolchain.training.phase import Extent, Loss, Phase, PhaseName, require_like
from toolchain.training.recipe import Recipe
from toolchain.training.teacher import Teacher

LEAST_WIDTH, MOST_WIDTH = 16, 32
"""Channels of a teacher's first stage: those of its pupil's widest map, within these, since its maps are large."""

TEACHER_RATE = 5e-3
TEACHER_DECAY = 5e-3


@dataclass(frozen=True)
class Epoch:
    """How an epoch ended: ``number`` from 1; ``quality`` on validation images, None where nobody asked."""

    phase: PhaseName
    number: int
    loss: float
    images_a_second: float
    quality: float | None


@dataclass
class Checkpoint:
    """Where a course stands: the phase, the steps it has done, the networks of phases that ended, and the bits that
    were chosen for layers."""

    phase: PhaseName
    step: int
    total_loss: float
    tensors: dict[str, Tensor]
    history: list[Epoch] = field(default_factory=list)
    bits: dict[str, int] = field(default_factory=dict)

    def position(self) -> dict[str, Any]:
        """All but the tensors, as JSON data."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "tensors"}
        return found | {"history": [asdict(epoch) for epoch in self.history]}


class Watcher(Protocol):
    """Who follows a course."""

    def judge(self, phase: PhaseName, network: nn.Module) -> float | None:
        """The quality of the network as an epoch ends, or None."""

    def epoch_ended(self, course: Course, epoch: Epoch) -> None:
        """Called behind each epoch, its judgement included."""

    def wants_stop(self) -> bool:
        """Asked behind each step."""


Network = Teacher | SpikingNetwork | QuantizedNetwork


class Stopped(Exception):
    """A watcher wanted the course to stop; ``Course.checkpoint`` says from where it goes on."""


class Course:
    """Trains ``network`` in place on ``data`` as ``plan`` says, then fine-tunes its integer form.

    Fine-tuning takes ``tuning``, or ``data`` again. ``float_network``, ``quantized`` and ``history`` are what came
    of it; ``quantized`` keeps every bound of the Graph. With ``fits`` the bits of each layer are chosen in between,
    so that the Graph fits. Networks stay on the device of ``network``.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        data: Subset,
        objective: Objective,
        plan: Recipe,
        *,
        seed: int,
        tuning: Subset | None = None,
        fits: Fits | None = None,
    ) -> None:
        self.float_network, self.data, self.tuning = network, data, data if tuning is None else tuning
        self.objective, self.plan, self.seed = objective, plan, seed
        self.device = next(network.parameters()).device
        self.rate = None if plan.spike_rate is None else SpikeRate(network.graph, plan.spike_rate)
        self.teacher = _teacher(network, data, seed).to(self.device) if plan.distillation else None
        self.fits, self.bits = fits, dict[str, int]()
        self.quantized: QuantizedNetwork | None = None
        self.history: list[Epoch] = []
        objective.prepare(network.head.linear)
        if self.teacher is not None:
            objective.prepare(self.teacher.readout)
        self.names: tuple[PhaseName, ...] = ("float", "integer")
        if self.teacher is not None:
            self.names = ("teacher", *self.names)
        self.phase = self._begin(self.names[0])

    def run(self, watcher: Watcher | None = None) -> QuantizedNetwork:
        """Train to the end, or from where ``restore`` left off; returns the integer network, in evaluation mode.

        Raises ``InputError`` if training diverges, ``Stopped`` behind the step at which the watcher wanted it.
        """
        while True:
            self._run_phase(watcher)
            self.phase.finish()
            if self.phase.name == "integer":
                assert self.quantized is not None
                self.quantized.refit()
                self.quantized.eval()
                return self.quantized
            self.phase = self._begin(self.names[self.names.index(self.phase.name) + 1])

    def checkpoint(self) -> Checkpoint:
        """Where the course stands, to be called between steps."""
        tensors = {f"phase.{name}": value for name, value in self.phase.tensors().items()}
        for name, network in self._ended(self.phase.name).items():
            tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        phase = self.phase
        return Checkpoint(
            phase.name, phase.step, phase.total_loss, tensors, list(self.history), dict(self.bits)
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Stand where ``checkpoint`` stood. Raises ``KeyError`` or ``ValueError`` if it is another course's."""
        if checkpoint.phase not in self.names:
            raise ValueError(f"this course has no {checkpoint.phase} phase")
        self.phase = self._begin("float" if checkpoint.phase == "integer" else checkpoint.phase)
        self.bits = dict(checkpoint.bits)
        for name, network in self._ended(checkpoint.phase).items():
            own = network.state_dict()
            found = {key: checkpoint.tensors[f"{name}.{key}"] for key in own}
            require_like(found, own)
            network.load_state_dict(found)
        if checkpoint.phase == "integer":
            self.phase = self._begin("integer")
        tensors = {
            name.removeprefix("phase."): value
            for name, value in checkpoint.tensors.items()
            if name.startswith("phase.")
        }
        self.phase.restore(tensors, checkpoint.step, checkpoint.total_loss)
        self.history = list(checkpoint.history)

    def _run_phase(self, watcher: Watcher | None) -> None:
        phase = self.phase
        started, first = time.perf_counter(), phase.step
        while phase.step < phase.steps:
            phase.advance()
            if phase.at_epoch_end:
                seconds = time.perf_counter() - started
                self._end_epoch(watcher, (phase.step - first) * phase.batch / seconds)
                started, first = time.perf_counter(), phase.step
            if watcher is not None and watcher.wants_stop():
                raise Stopped

    def _end_epoch(self, watcher: Watcher | None, images_a_second: float) -> None:
        phase = self.phase
        averages = phase.average.applied() if phase.average is not None else nullcontext()
        with averages:
            if isinstance(phase.network, QuantizedNetwork):
                phase.network.refit()
            quality = None if watcher is None else watcher.judge(phase.name, phase.network)
        if isinstance(phase.network, QuantizedNetwork):
            phase.network.refit()
        ended = Epoch(phase.name, phase.epoch, phase.mean_loss, images_a_second, quality)
        self.history.append(ended)
        if watcher is not None:
            watcher.epoch_ended(self, ended)

    def _begin(self, name: PhaseName) -> Phase:
        plan, data, network = self.plan, self.data, cast(Network, self.float_network)
        extent = Extent(plan.float_epochs, plan.float_rate, plan.weight_decay)
        if name == "teacher":
            assert self.teacher is not None
            network, extent = self.teacher, Extent(plan.teacher_epochs, TEACHER_RATE, TEACHER_DECAY)
        if name == "integer":
            self._narrow()
            short = plan.precision == "bfloat16"
            self.quantized = QuantizedNetwork(self.float_network.eval(), short_gradients=short)
            network, data = self.quantized, self.tuning
            extent = Extent(plan.quantized_epochs, plan.quantized_rate, 0.0)
        loss = self._loss(name, network)
        return Phase(name, network, data, self.objective, plan, extent, loss, seed=self.seed)

    def _narrow(self) -> None:
        network = self.float_network
        if self.fits is not None and not self.bits:
            losses = sensitivities(network, self.data.drawn(IMAGES, self.seed), self.objective)
            self.bits = choose_bits(network.graph, losses, self.fits)
        if self.bits:
            network.adopt(with_bits(network.graph, self.bits))

    def _loss(self, name: PhaseName, network: Network) -> Loss:
        plan, objective = self.plan, self.objective

        def computed(pixels: Tensor, targets: Tensor) -> Tensor:
            pixels, targets = pixels.to(self.device), targets.to(self.device)
            with self._precision(name):
                if isinstance(network, Teacher):
                    return objective.loss(network(pixels).float(), targets)
                spikes = network.spikes(pixels)
                outputs = network.read_out(spikes)
            loss = objective.loss(outputs, targets)
            if self.teacher is not None:
                with torch.no_grad(), self._precision("teacher"):
                    lesson = self.teacher.eval()(pixels).float()
                imitation = objective.imitation(outputs, lesson)
                loss = (1 - plan.distillation) * loss + plan.distillation * imitation
            return loss if self.rate is None else loss + self.rate.penalty(spikes)

        return computed

    def _precision(self, name: PhaseName) -> torch.autocast:
        # Integers are exact in float32 alone.
        short = self.plan.precision == "bfloat16" and name != "integer"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=short)

    def _ended(self, phase: PhaseName) -> dict[str, nn.Module]:
        """Networks that phases before ``phase`` have trained."""
        before = self.names[: self.names.index(phase)]
        return {name: self.teacher if name == "teacher" else self.float_network for name in before}  # type: ignore[misc]


def _teacher(network: SpikingNetwork, data: Subset, seed: int) -> Teacher:
    widest = max(node.shape.channels for node in network.graph.all(Lif))
    width = min(max(widest, LEAST_WIDTH), MOST_WIDTH)
    *planes, height, width_of_image = data.images.shape[1:]
    side = min(height, width_of_image)
    return Teacher(int(np.prod(planes)), side, network.graph.head.classes, width=width, seed=seed)
