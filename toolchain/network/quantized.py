"""``QuantizedNetwork``: the Graph's integer semantics in torch, trainable.

Parameters are float values (weights folded with batch normalization); each forward pass rounds them to
the integers of the Graph, computes with float32 tensors that hold integers below 2**24 and are therefore
exact, and lets gradients pass straight through the roundings. What it computes is what the reference
interpreter, the exporters and the firmware compute.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from toolchain.graph.bounds import EXACT_FLOAT32, INT16_MAX, INT16_MIN, max_count
from toolchain.graph.codes import MAX_CODE
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Lif, Node, PixelConv, Pool, SpikeConv
from toolchain.network.calibration import (
    WEIGHT_MAX,
    FloatNode,
    Scales,
    choose_scales,
    largest_exponent,
    quantize,
)
from toolchain.network.convolution import convolve
from toolchain.network.grids import MAX_SHIFT, Grid, choose_grid
from toolchain.network.neuron import Dynamics, floor_through, integrate_and_fire, round_through
from toolchain.network.spiking import (
    FloatHead,
    FloatLif,
    SpikingNetwork,
    all_spikes,
    count,
    over_time,
    window_count,
)


class QuantizedNetwork(nn.Module):
    """The integer network that starts from a trained ``SpikingNetwork``.

    ``short_gradients``: those of convolutions are computed in bfloat16.
    """

    def __init__(self, trained: SpikingNetwork, *, short_gradients: bool = False) -> None:
        super().__init__()
        self.architecture = trained.graph
        self.nodes = nn.ModuleDict(
            {
                name: QuantizedLif(node, short_gradients=short_gradients)
                for name, node in trained.nodes.items()
                if isinstance(node, FloatLif)
            }
        )
        self.head = QuantizedHead(trained.graph, trained.head)

    def spikes(self, pixels: Tensor) -> dict[str, Tensor]:
        """Spikes of every spiking node, float 0/1 [T, N, C, H, W], for ``pixels`` uint8 [N, C, H, W]."""
        return all_spikes(self.architecture, self.nodes, pixels.float())

    def scores(self, pixels: Tensor) -> Tensor:
        """Integer scores, float32 [N, classes], of ``pixels`` uint8 [N, C, H, W]."""
        return self._scores(self.spikes(pixels))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes]: the scores in units of 1.0."""
        return self.read_out(self.spikes(pixels))

    def read_out(self, spikes: dict[str, Tensor]) -> Tensor:
        """Logits [N, classes] of what ``spikes`` gave."""
        return self._scores(spikes) * 2.0**-self.head.exponent

    def _scores(self, spikes: dict[str, Tensor]) -> Tensor:
        head = self.architecture.head
        scores: Tensor = self.head(count(spikes[head.source], head))
        return scores

    def refit(self) -> int:
        """Lower exponents where training has moved a channel over a bound; returns how many channels changed.

        Call it after the last change of the parameters: only then does ``graph`` keep every bound.
        """
        changed = sum(node.refit() for node in self.nodes.values() if isinstance(node, QuantizedLif))
        self.head.refit()
        return changed

    def graph(self) -> Graph:
        """The Graph with the integer weights that ``forward`` uses."""
        nodes: list[Node] = []
        for node in self.architecture.nodes:
            if isinstance(node, Lif):
                module = self.nodes[node.name]
                assert isinstance(module, QuantizedLif)
                nodes.append(module.quantized())
            else:
                nodes.append(self.head.quantized() if isinstance(node, Head) else node)
        return replace(self.architecture, nodes=tuple(nodes))

    def lost_exponents(self) -> dict[str, int]:
        """Exponent steps given up to the int16 bound, by node; nodes that lost none are left out."""
        lost = {
            name: int(node.lost.sum()) for name, node in self.nodes.items() if isinstance(node, QuantizedLif)
        }
        return {name: steps for name, steps in lost.items() if steps}


class QuantizedLif(nn.Module):
    """A ``Lif`` node in integers. Parameters: ``weights`` by edge index and ``bias``, as values in units of 1.0."""

    exponent: Tensor
    pixel_exponent: Tensor
    lost: Tensor
    grid_exponent: Tensor | None
    gain: Tensor | None

    def __init__(self, trained: FloatLif, *, short_gradients: bool) -> None:
        super().__init__()
        self.node, self.short_gradients = trained.node, short_gradients
        self.time_steps = trained.time_steps
        self.weights = nn.ParameterDict()
        unit = trained.get_buffer("unit")
        bias = torch.zeros_like(unit).flatten() if trained.bias is None else trained.bias.detach().clone()
        for index, convolution in trained.convolutions.items():
            weight, offset = convolution.folded()  # type: ignore[operator]
            self.weights[index] = nn.Parameter(weight)
            bias = bias + offset
        self.bias = nn.Parameter(bias)
        scales = choose_scales(self.node, self._values(), self.time_steps)
        grid = scales.grid
        buffers = {
            "exponent": scales.exponent,
            "pixel_exponent": np.zeros(0, np.int64)
            if scales.pixel_exponent is None
            else scales.pixel_exponent,
            "lost": scales.lost,
            "grid_exponent": None if grid is None else grid.exponent,
            "gain": None if grid is None else grid.gain,
        }
        for name, values in buffers.items():
            self.register_buffer(name, None if values is None else torch.from_numpy(values).to(unit.device))

    def refit(self) -> int:
        """Lower exponents until the bounds hold for the present parameters; returns the number of channels lowered."""
        scales = choose_scales(self.node, self._values(), self.time_steps, self._scales())
        self.lost += torch.from_numpy(scales.lost).to(self.lost)
        self.exponent.copy_(torch.from_numpy(scales.exponent))
        if scales.pixel_exponent is not None:
            self.pixel_exponent.copy_(torch.from_numpy(scales.pixel_exponent))
        return int((scales.lost > 0).sum())

    def forward(self, maps: dict[str, Tensor]) -> Tensor:
        """Spikes [T, N, C, H, W] from the integer maps of the nodes that this one reads."""
        unit = self._power(self.exponent)
        scale = unit if self.gain is None else unit * self.gain.reshape(-1, 1, 1)
        bias = round_through((self.bias * scale.flatten()).clamp(INT16_MIN, INT16_MAX))
        threshold = torch.round(scale)
        currents = (
            self._edge(str(index), edge, maps[edge.source], unit)
            for index, edge in enumerate(self.node.edges)
        )
        dynamics = Dynamics(self.node.leak, self.node.reset, integer=True)
        return integrate_and_fire(
            reduce(torch.add, currents), self.time_steps, dynamics, threshold, threshold, offset=bias
        )

    def quantized(self) -> Lif:
        """The Graph node with the integers that ``forward`` uses."""
        return quantize(self.node, self._values(), self._scales())

    def _scales(self) -> Scales:
        pixel = self.pixel_exponent.cpu().numpy() if len(self.pixel_exponent) else None
        grid = None
        if self.grid_exponent is not None and self.gain is not None:
            grid = Grid(self.grid_exponent.cpu().numpy(), self.gain.cpu().numpy())
        return Scales(self.exponent.cpu().numpy(), pixel, self.lost.cpu().numpy(), grid)

    def _edge(self, index: str, edge: Edge, source: Tensor, unit: Tensor) -> Tensor:
        if isinstance(edge, PixelConv):
            sums = self._convolve(index, edge, source, self.pixel_exponent)
            rounding = self.pixel_exponent + 8 - self.exponent
            half = torch.where(rounding > 0, self._power(rounding - 1).flatten(), 0.0).reshape(-1, 1, 1)
            return floor_through((sums + half) * self._power(-rounding))
        if isinstance(edge, SpikeConv):
            return self._convolve(index, edge, source, self.exponent)
        return over_time(window_count, source) * (unit / 8) if isinstance(edge, Pool) else source * unit

    def _convolve(self, index: str, edge: PixelConv | SpikeConv, source: Tensor, exponent: Tensor) -> Tensor:
        weight = self.weights[index]
        if self.grid_exponent is None or self.gain is None:
            weight = _rounded(weight * self._power(exponent).unsqueeze(-1), WEIGHT_MAX)
        else:
            step = torch.minimum(exponent, self.grid_exponent)
            scale = self._power(step) * self.gain.reshape(-1, 1, 1)
            code = _rounded(weight * scale.unsqueeze(-1), MAX_CODE[self.node.bits])
            weight = code * self._power(exponent - step).unsqueeze(-1)
        return over_time(
            lambda maps: convolve(maps, weight, edge.stride, short_gradients=self.short_gradients), source
        )

    def _values(self) -> FloatNode:
        weights = {int(index): _float64(weight) for index, weight in self.weights.items()}
        return FloatNode(weights, _float64(self.bias))

    def _power(self, exponent: Tensor) -> Tensor:
        return torch.ldexp(torch.ones_like(exponent, dtype=torch.float32), exponent).reshape(-1, 1, 1)


class QuantizedHead(nn.Module):
    """The read-out in integers; one exponent for all classes."""

    weight_exponent: Tensor
    grid_exponent: Tensor | None

    def __init__(self, graph: Graph, trained: FloatHead) -> None:
        super().__init__()
        self.head = graph.head
        self.max_count = max_count(graph)
        # Counts are integers here, so the float head's scaling of its features moves into the weights' exponent.
        self.shift = trained.shift
        self.weight = nn.Parameter(trained.linear.weight.detach().clone())
        self.bias = nn.Parameter(trained.linear.bias.detach().clone())
        # A buffer, because a training that goes on needs it: it never grows again.
        device = self.weight.device
        self.register_buffer("weight_exponent", torch.tensor(30, device=device))
        grid = None if self.head.bits == 8 else choose_grid([_float64(self.weight)], self.head.bits, False)
        exponent = None if grid is None else torch.from_numpy(grid.exponent).to(device)
        self.register_buffer("grid_exponent", exponent)
        self.refit()

    @property
    def exponent(self) -> int:
        """Scores are logits * 2**exponent."""
        return int(self.weight_exponent) + self.shift

    def refit(self) -> None:
        """Choose the exponent for the present weights: never a higher one than before, and every score below 2**24."""
        if self.grid_exponent is None:
            largest = int(largest_exponent(_float64(self.weight)).min())
        else:
            largest = int(self.grid_exponent.min()) + MAX_SHIFT[self.head.bits]
        self.weight_exponent.fill_(min(int(self.weight_exponent), largest))
        while self._largest_score() >= EXACT_FLOAT32:
            self.weight_exponent -= 1

    def forward(self, counts: Tensor) -> Tensor:
        """Integer scores [N, classes] of counts [N, features]."""
        weight, bias = self._integers()
        return functional.linear(counts, weight, bias)

    def quantized(self) -> Head:
        """The Graph node with the integers that ``forward`` uses."""
        weight, bias = (values.detach().cpu().numpy() for values in self._integers())
        shift = None
        if self.grid_exponent is not None:
            shift = (self.weight_exponent - self._step()).cpu().numpy().astype(np.uint8)
        return replace(
            self.head,
            weight=weight.astype(np.int8),
            bias=bias.astype(np.int32),
            exponent=self.exponent,
            code_shift=shift,
        )

    def _integers(self) -> tuple[Tensor, Tensor]:
        bias = round_through(self.bias * 2.0**self.exponent)
        if self.grid_exponent is None:
            return _rounded(self.weight * 2.0 ** int(self.weight_exponent), WEIGHT_MAX), bias
        step = self._step().reshape(-1, 1)
        code = _rounded(torch.ldexp(self.weight, step), MAX_CODE[self.head.bits])
        return torch.ldexp(code, self.weight_exponent - step), bias

    def _step(self) -> Tensor:
        """Codes of each class are weights * 2**step."""
        assert self.grid_exponent is not None
        return torch.minimum(self.weight_exponent, self.grid_exponent)

    def _largest_score(self) -> float:
        weight, bias = (values.detach().double() for values in self._integers())
        return float((weight.abs().sum(1) * self.max_count + bias.abs()).max())


def _rounded(values: Tensor, limit: int) -> Tensor:
    """``values`` clipped to -limit..limit and rounded; gradients pass, but not those of what is clipped."""
    return round_through(values.clamp(-limit, limit))


def _float64(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().numpy().astype(np.float64)
