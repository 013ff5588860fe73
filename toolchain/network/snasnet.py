"""``SnasnetNetwork``: a network of the ``snasnet`` space as a float torch module.

Maps are lists of one [N, C, H, W] a time step, or of a single one where all steps are alike. Batch statistics are
those of one time step, because the published network is run step by step. What its description leaves open is
chosen here: weights are drawn as torch draws them by default, and dropout removes the same features in all time
steps of an image.

Neurons integrate by v <- v + (x - v) / tau and are reset to 0. With u = tau v this is u <- (1 - 1 / tau) u + x,
fired at u >= tau, which is the form of ``toolchain.network.neuron``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolchain.architecture.cells import EDGES, OUTPUT, Cell, Operation
from toolchain.architecture.snasnet import KERNEL, REDUCTION, TAU, THRESHOLD, SnasnetArchitecture
from toolchain.graph.nodes import Leak, Shape
from toolchain.network.neuron import Dynamics, integrate_and_fire
from toolchain.network.spiking import PIXEL_SCALE, ConvNorm

DROPOUT = 0.5
CONVOLUTIONS = {Operation.CONV1X1: 1, Operation.CONV3X3: 3}
"""Side of the kernel of an operation with weights."""

_DYNAMICS = Dynamics(Leak("shift", 2), "zero", integer=False)
assert _DYNAMICS.leak.kept == 1 - 1 / TAU


class SnasnetNetwork(nn.Module):
    """The network of ``architecture`` for images of ``pixels`` in ``classes``; weights are drawn from ``seed``.

    Raises ``InputError`` if the images are too small.
    """

    def __init__(
        self, architecture: SnasnetArchitecture, pixels: Shape, classes: int, *, seed: int = 0
    ) -> None:
        super().__init__()
        self.architecture, self.pixels, self.classes = architecture, pixels, classes
        channels, steps = architecture.channels, architecture.time_steps
        # Initial weights depend on the seed alone, not on what the process drew before.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = ConvNorm(pixels.channels, channels, KERNEL, architecture.stem_stride)
            self.first = SnasnetCell(architecture.cells[0], channels, steps)
            self.reduction_norm = nn.BatchNorm2d(channels)
            self.reduction_neurons = Neurons(steps)
            self.reduction = ConvNorm(channels, 2 * channels, KERNEL, 1)
            self.second = SnasnetCell(architecture.cells[1], 2 * channels, steps)
            self.last_norm = nn.BatchNorm2d(2 * channels)
            self.last_neurons = Neurons(steps)
            self.full = nn.Linear(architecture.maps(pixels).pooled.size, architecture.width, bias=False)
            self.full_neurons = Neurons(steps)
            self.voters = nn.Linear(architecture.width, classes * architecture.voters)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes] of ``pixels`` uint8 [N, C, H, W]."""
        maps = self.second(self.source(pixels, 1))
        spikes = self.last_neurons([self.last_norm(step) for step in maps])
        features = [functional.avg_pool2d(step, self.architecture.pool).flatten(1) for step in spikes]
        if self.training:
            mask = functional.dropout(torch.ones_like(features[0]), DROPOUT)
            features = [step * mask for step in features]
        fired = self.full_neurons([self.full(step) for step in features])
        # Voters are linear, so their mean over time is their output for the mean of the spikes.
        votes: Tensor = self.voters(torch.stack(fired).mean(0))
        return votes.unflatten(1, (self.classes, self.architecture.voters)).mean(2)

    def source(self, pixels: Tensor, position: int) -> list[Tensor]:
        """The maps that the first (``position`` 0) or second (1) cell reads."""
        if position == 0:
            return [self.stem(pixels.float() / PIXEL_SCALE)]
        maps = self.first(self.source(pixels, 0))
        spikes = self.reduction_neurons([self.reduction_norm(step) for step in maps])
        return [functional.avg_pool2d(self.reduction(step), REDUCTION) for step in spikes]


class SnasnetCell(nn.Module):
    """A cell whose nodes sum real values, with one layer of neurons for every node that a convolution reads.

    The published network has a layer on each such edge. Those of one node have the same input and no
    parameters, so they fire alike.
    """

    def __init__(self, cell: Cell, channels: int, time_steps: int) -> None:
        super().__init__()
        self.edges = [
            (source, target, operation)
            for (source, target), operation in zip(EDGES, cell.operations, strict=True)
            if operation != Operation.ZEROIZE
        ]
        kernels = {
            f"{source}{target}": CONVOLUTIONS[operation]
            for source, target, operation in self.edges
            if operation in CONVOLUTIONS
        }
        self.convolutions = nn.ModuleDict(
            {edge: ConvNorm(channels, channels, kernel, 1) for edge, kernel in kernels.items()}
        )
        sources = [edge[0] for edge in kernels]
        self.neurons = nn.ModuleDict(
            {source: Neurons(time_steps, sources.count(source)) for source in dict.fromkeys(sources)}
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps to maps of the same extent."""
        sums = {0: maps}
        del maps
        # Values and spikes of a node are let go as soon as all its edges are computed.
        for node in range(OUTPUT):
            if node not in sums:
                continue
            values = sums.pop(node)
            spikes = self.neurons[str(node)](values) if str(node) in self.neurons else []
            for source, target, operation in self.edges:
                if source == node:
                    part = self._edge(f"{source}{target}", operation, values, spikes)
                    sums[target] = _added(sums[target], part) if target in sums else part
        return sums[OUTPUT]

    def _edge(
        self, edge: str, operation: Operation, values: list[Tensor], spikes: list[Tensor]
    ) -> list[Tensor]:
        if operation == Operation.SKIP:
            return values
        if operation == Operation.AVGPOOL3X3:
            return [functional.avg_pool2d(step, 3, 1, 1) for step in values]
        convolution = self.convolutions[edge]
        return [convolution(step) for step in spikes]


class Neurons(nn.Module):
    """LIF neurons of one map over all time steps; ``layers`` of the published network are computed as this one."""

    def __init__(self, time_steps: int, layers: int = 1) -> None:
        super().__init__()
        self.time_steps, self.layers = time_steps, layers
        self.register_buffer("threshold", torch.tensor(TAU * THRESHOLD), persistent=False)

    def forward(self, currents: list[Tensor]) -> list[Tensor]:
        """Spikes, float 0/1, of each time step."""
        threshold = self.get_buffer("threshold")
        if not torch.is_grad_enabled():
            return _fire(currents, self.time_steps, threshold)
        stacked = torch.stack(currents)
        return list(integrate_and_fire(stacked, self.time_steps, _DYNAMICS, threshold, threshold).unbind())


def _added(left: list[Tensor], right: list[Tensor]) -> list[Tensor]:
    """Sum step by step; a map of a single step is the same in all."""
    if len(left) < len(right):
        left, right = right, left
    return [step + right[index if len(right) > 1 else 0] for index, step in enumerate(left)]


def _fire(currents: list[Tensor], time_steps: int, threshold: Tensor) -> list[Tensor]:
    """What ``integrate_and_fire`` computes, to the last bit but one, in place and for each step's map apart."""
    spikes = []
    potential = torch.zeros_like(currents[0])
    for step in range(time_steps):
        current = currents[step if len(currents) > 1 else 0]
        torch.add(current, potential, alpha=_DYNAMICS.leak.kept, out=potential)
        spike = torch.empty_like(potential)
        torch.ge(potential, threshold, out=spike)
        torch.addcmul(potential, spike, potential, value=-1, out=potential)
        spikes.append(spike)
    return spikes
