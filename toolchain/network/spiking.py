"""``SpikingNetwork``: a Graph as a float torch module with batch normalization, to be trained from scratch.

Maps are [T, N, C, H, W]; pixels, value q / 256, are so too, or [1, N, C, H, W] where all steps see the same. Every
stateless operation folds time into the batch. Thresholds are 1.0: batch normalization learns the scale of each
channel's current.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolchain.graph.bounds import max_count
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Lif, OrPool, PixelConv, Pool, SpikeConv
from toolchain.network.neuron import Dynamics, integrate_and_fire, normalize_and_fire

PIXEL_SCALE = 256.0
"""A pixel q stands for the value q / 256."""


class SpikingNetwork(nn.Module):
    """The float network of ``graph``; weights are drawn from ``seed``, or loaded as its ``state_dict``."""

    def __init__(self, graph: Graph, *, seed: int = 0) -> None:
        super().__init__()
        self.graph = graph
        # Initial weights depend on the seed alone, not on what the process drew before.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.nodes = nn.ModuleDict({node.name: FloatLif(graph, node) for node in graph.all(Lif)})
            self.head = FloatHead(graph, graph.head)

    def adopt(self, graph: Graph) -> None:
        """Be the network of ``graph``, which differs from the present one in the bits of weights alone."""
        self.graph = graph
        for name, module in self.nodes.items():
            node = graph.node(name)
            assert isinstance(module, FloatLif) and isinstance(node, Lif)
            module.node = node

    def spikes(self, pixels: Tensor) -> dict[str, Tensor]:
        """Spikes of every spiking node, float 0/1 [T, N, C, H, W].

        ``pixels`` are uint8 [N, C, H, W], or [N, T, C, H, W] for a network that takes frames.
        """
        return all_spikes(self.graph, self.nodes, pixels.float() / PIXEL_SCALE)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes] of ``pixels`` uint8 [N, C, H, W]."""
        return self.read_out(self.spikes(pixels))

    def read_out(self, spikes: dict[str, Tensor]) -> Tensor:
        """Logits [N, classes] of what ``spikes`` gave."""
        logits: Tensor = self.head(count(spikes[self.graph.head.source], self.graph.head))
        return logits


class FloatLif(nn.Module):
    """A ``Lif`` node: convolutions with batch normalization, skips, pools, then integrate and fire at 1.0."""

    def __init__(self, graph: Graph, node: Lif) -> None:
        super().__init__()
        self.node = node
        self.time_steps = graph.time_steps
        channels = node.shape.channels
        self.convolutions = nn.ModuleDict(
            {
                str(index): ConvNorm(
                    graph.source_shape(edge.source).channels, channels, edge.kernel, edge.stride
                )
                for index, edge in enumerate(node.edges)
                if isinstance(edge, (PixelConv, SpikeConv))
            }
        )
        # A node of skips and pools alone has no normalization to learn its bias.
        self.bias = None if len(self.convolutions) else nn.Parameter(torch.zeros(channels))
        self.register_buffer("unit", torch.ones(channels, 1, 1), persistent=False)

    def forward(self, maps: dict[str, Tensor]) -> Tensor:
        """Spikes [T, N, C, H, W] from the maps of the nodes that this one reads."""
        unit = self.get_buffer("unit")
        dynamics = Dynamics(self.node.leak, self.node.reset, integer=False)
        if len(self.convolutions) == len(self.node.edges) == 1:
            pair, (edge,) = self.convolutions["0"], self.node.edges
            assert isinstance(pair, ConvNorm)
            sums = over_time(pair.convolution, maps[edge.source])
            return normalize_and_fire(sums, pair.norm, self.time_steps, dynamics, unit, unit)
        return integrate_and_fire(self.current(maps), self.time_steps, dynamics, unit, unit)

    def current(self, maps: dict[str, Tensor]) -> Tensor:
        """Sum of the edges' currents, [T, N, C, H, W], or [1, N, C, H, W] from pixels that stay the same."""
        total: Tensor | None = None if self.bias is None else self.bias.reshape(-1, 1, 1)
        for index, edge in enumerate(self.node.edges):
            part = self._edge(str(index), edge, maps[edge.source])
            total = part if total is None else total + part
        assert total is not None  # checks.order: a node has at least one edge
        return total

    def _edge(self, index: str, edge: Edge, source: Tensor) -> Tensor:
        if index in self.convolutions:
            return over_time(self.convolutions[index], source)
        return over_time(window_count, source) / 8 if isinstance(edge, Pool) else source


class ConvNorm(nn.Module):
    """Convolution without bias, zero padded by kernel // 2, and batch normalization."""

    def __init__(self, into: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, maps: Tensor) -> Tensor:
        """[B, in, H, W] -> [B, out, H', W']."""
        normalized: Tensor = self.norm(self.convolution(maps))
        return normalized

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight [out, in, k, k] and bias [out] of the convolution that this pair is after training."""
        norm = self.norm
        assert norm.running_var is not None and norm.running_mean is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = self.convolution.weight * gain.reshape(-1, 1, 1, 1)
        return weight.detach(), (norm.bias - norm.running_mean * gain).detach()


class FloatHead(nn.Module):
    """Linear read-out of spike counts, scaled by a power of two so that typical features are near 1."""

    def __init__(self, graph: Graph, head: Head) -> None:
        super().__init__()
        self.shift = max(0, max_count(graph).bit_length() - 3)
        self.linear = nn.Linear(graph.head_features(), head.classes)

    def forward(self, counts: Tensor) -> Tensor:
        """Logits [N, classes] of counts [N, features]."""
        # Few operations and the last ones: not worth a shorter type where the rest is computed in one.
        with torch.autocast(counts.device.type, enabled=False):
            logits: Tensor = self.linear(counts * 2.0**-self.shift)
        return logits


def all_spikes(graph: Graph, modules: nn.ModuleDict, values: Tensor) -> dict[str, Tensor]:
    """Spikes [T, N, C, H, W] of every spiking node; ``modules`` are those of the ``Lif`` nodes by name.

    ``values`` float [N, C, H, W], or [N, T, C, H, W] with a frame for each step, are the pixels in the unit that the
    modules take.
    """
    frames = values.unsqueeze(0) if graph.input.frames == 1 else values.transpose(0, 1)
    # Channels last in memory: neurons (``neuron_compiled``) and convolutions are faster with it, and pass it on.
    maps = {graph.input.name: frames.movedim(2, -1).contiguous().movedim(-1, 2)}
    for node in graph.nodes:
        if isinstance(node, Lif):
            maps[node.name] = modules[node.name](maps)
        elif isinstance(node, OrPool):
            maps[node.name] = over_time(lambda x: functional.max_pool2d(x, 2), maps[node.source])
    del maps[graph.input.name]
    return maps


def count(spikes: Tensor, head: Head) -> Tensor:
    """Spike counts [N, features] of spikes [T, N, C, H, W], as the head's ``features`` says."""
    counts = (0, 3, 4) if head.features == "count" else (0,)
    # In float32, where every count is exact, whatever type the spikes have.
    return spikes.sum(counts, dtype=torch.float32).flatten(1)


def over_time(operation: nn.Module | object, maps: Tensor) -> Tensor:
    """Apply a stateless operation on [B, C, H, W] to [T, N, C, H, W], time folded into the batch."""
    result: Tensor = operation(maps.flatten(0, 1))  # type: ignore[operator]
    return result.unflatten(0, maps.shape[:2])


def window_count(spikes: Tensor) -> Tensor:
    """Number of spikes in each 3x3 window, zero padded; exact, because the divisor is 1."""
    return functional.avg_pool2d(spikes, 3, 1, 1, divisor_override=1)
