"""Training speed beside snnTorch's step loop: same network, images, batch and weights, in one run, side by side.

    python -m benchmarks.training            batches of 128, 12 rounds
    python -m benchmarks.training --quick    batches of 64, 4 rounds
    python -m benchmarks.training --json     one JSON document; the key ``speedup_vs_snntorch`` is the ratio

Both sides run a forward and a backward pass of cross-entropy. Theirs is the loop that snnTorch's tutorials teach:
for every time step, each layer's convolution, normalization and ``snntorch.Leaky(reset_delay=False)``. Ours runs
all steps of a layer at once, with the threshold rule and the reset gradient of theirs. Normalization has fixed
moments, because in a step loop a batch's own would be another network's; its gains keep a current below one
threshold, because beyond two thresholds ``Leaky`` resets in a way of its own. Then losses must be equal to 1e-5 and
every gradient to 1e-3 of its largest value, or it is an error.

Also measured: both with the moments of the batch, as they train (theirs a step's, ours all steps'), and our
integer phase. Rounds of the sides alternate and the median of their ratios is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn
from torch.nn import functional

from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.network import spiking
from toolchain.network.neuron import Dynamics
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import PIXEL_SCALE, ConvNorm, FloatLif, SpikingNetwork
from toolchain.search.executors.environment import KEPT_MEMORY

NETWORK, SIDE, CLASSES = "t4 leak2 reset-subtract stem16/1 stride32 003000 head-count", 32, 10


class StepLoop(nn.Module):
    """The layers of a ``SpikingNetwork`` that is a chain, run step by step with ``snntorch.Leaky``."""

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self.network, self.time_steps = network, network.graph.time_steps
        self.layers = nn.ModuleList(module.convolutions["0"] for module in network.nodes.values())
        self.neurons = nn.ModuleList(
            snntorch.Leaky(module.node.leak.kept, spike_grad=surrogate.atan(alpha=2.0), reset_delay=False)
            for module in network.nodes.values()
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes] of ``pixels`` uint8 [N, C, H, W]."""
        images = pixels.float() / PIXEL_SCALE
        potentials = [neuron.init_leaky() for neuron in self.neurons]
        counts = torch.zeros(())
        for _ in range(self.time_steps):
            spikes = images
            for index, (layer, neuron) in enumerate(zip(self.layers, self.neurons, strict=True)):
                spikes, potentials[index] = neuron(layer(spikes), potentials[index])
            counts = counts + spikes.sum((2, 3))
        logits: Tensor = self.network.head(counts)
        return logits


class AsTheirs:
    """While it lasts, float neurons follow snnTorch's rule."""

    def __enter__(self) -> None:
        self.before = spiking.Dynamics
        spiking.Dynamics = lambda leak, reset, integer: Dynamics(leak, reset, integer, snntorch=True)  # type: ignore[assignment, misc]

    def __exit__(self, *_: object) -> None:
        spiking.Dynamics = self.before  # type: ignore[misc]


def make_network(text: str, batch: Tensor) -> SpikingNetwork:
    """The network with moments of ``batch`` and gains that keep every current on it below the threshold."""
    graph = build(parse(text), Shape(3, SIDE, SIDE), Preprocessing(SIDE, SIDE, "rgb"), tuple("0123456789"))  # type: ignore[arg-type]
    network = SpikingNetwork(graph, seed=0)
    # Spikes of a layer depend on the layers before it, so moments settle from the first to the last.
    for module in network.nodes.values():
        assert isinstance(module, FloatLif)
        pair = module.convolutions["0"]
        assert isinstance(pair, ConvNorm)
        pair.norm.momentum = 1.0
        with torch.no_grad():
            network.train()(batch)
            network.eval()
            maps = network.spikes(batch) | {graph.input.name: (batch.float() / PIXEL_SCALE).unsqueeze(0)}
            largest = module.current(maps).amax((0, 1, 3, 4))
            pair.norm.weight.mul_((0.7 - 0.2) / largest.clamp(min=0.5))
            pair.norm.bias.fill_(0.2)
            assert float(module.current(maps).max()) < 1
    return network


def passes(
    forward: Callable[[Tensor], Tensor], network: nn.Module, pixels: Tensor, targets: Tensor
) -> Tensor:
    """One forward and one backward pass; returns the loss."""
    network.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(forward(pixels), targets)
    loss.backward()
    return loss.detach()


def gradients(network: nn.Module) -> dict[str, Tensor]:
    """A copy of every gradient."""
    return {
        name: values.grad.clone() for name, values in network.named_parameters() if values.grad is not None
    }


def compare(network: SpikingNetwork, loop: StepLoop, pixels: Tensor, targets: Tensor) -> dict[str, float]:
    """Losses of both, and the largest difference of a gradient as a share of that gradient's largest value."""
    losses, found = [], []
    for forward in (loop, network):
        losses.append(float(passes(forward, network, pixels, targets)))
        found.append(gradients(network))
    theirs, ours = found
    assert theirs.keys() == ours.keys()
    shares = [float((theirs[name] - ours[name]).abs().max() / theirs[name].abs().max()) for name in theirs]
    return {"loss_snntorch": losses[0], "loss": losses[1], "largest_gradient_difference": max(shares)}


def race(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each side in each round; sides take turns. A first, unmeasured round warms them up."""
    took: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, work in sides.items():
            start = time.perf_counter()
            work()
            if number:
                took[name].append(time.perf_counter() - start)
    return took


def measure(text: str, batch: int, rounds: int) -> dict[str, Any]:
    """All figures."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (batch, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    targets = torch.randint(0, CLASSES, (batch,), generator=generator)
    network = make_network(text, pixels)
    loop = StepLoop(network)
    network.eval(), loop.eval()
    with AsTheirs():
        same = compare(network, loop, pixels, targets)
        fixed = race(
            {
                "snntorch": lambda: passes(loop, network, pixels, targets),
                "ours": lambda: passes(network, network, pixels, targets),
            },
            rounds,
        )
    quantized = QuantizedNetwork(network)
    network.train(), loop.train()

    def half(pixels: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits: Tensor = network(pixels)
        return logits

    training = race(
        {
            "snntorch": lambda: passes(loop, network, pixels, targets),
            "ours": lambda: passes(network, network, pixels, targets),
            "bfloat16": lambda: passes(half, network, pixels, targets),
            "integers": lambda: passes(quantized, quantized, pixels, targets),
        },
        rounds,
    )
    return {
        "network": text,
        "batch": batch,
        "threads": torch.get_num_threads(),
        "speedup_vs_snntorch": ratio(fixed["snntorch"], fixed["ours"]),
        "speedup_with_moments_of_the_batch": ratio(training["snntorch"], training["ours"]),
        "speedup_of_bfloat16": ratio(training["snntorch"], training["bfloat16"]),
        "speedup_of_integers": ratio(training["snntorch"], training["integers"]),
        "images_per_second": {
            "snntorch": speed(fixed["snntorch"], batch),
            "ours": speed(fixed["ours"], batch),
            "snntorch, moments of the batch": speed(training["snntorch"], batch),
            "ours, moments of the batch": speed(training["ours"], batch),
            "ours, bfloat16": speed(training["bfloat16"], batch),
            "ours, integers": speed(training["integers"], batch),
        },
        "same": same,
        "equal": abs(same["loss"] - same["loss_snntorch"]) <= 1e-5
        and same["largest_gradient_difference"] <= 1e-3,
    }


def ratio(slower: list[float], faster: list[float]) -> float:
    """Median over rounds of how many times longer the first took."""
    return round(median(one / other for one, other in zip(slower, faster, strict=True)), 2)


def speed(seconds: list[float], batch: int) -> int:
    """Median images a second."""
    return round(batch / median(seconds))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller batches and fewer rounds")
    parser.add_argument(
        "--network", default=NETWORK, help="a chain of convolutions, as an architecture's text"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    if not os.environ.keys() >= KEPT_MEMORY.keys():
        # glibc reads these when a process starts; both sides run with them, as the toolchain's trainings do.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "benchmarks.training", *sys.argv[1:]],
            os.environ | KEPT_MEMORY,
        )
    found = measure(options.network, *((64, 4) if options.quick else (128, 12)))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(
            f"`{found['network']}`, {SIDE}x{SIDE} RGB, batch {found['batch']}, {found['threads']} threads, measured"
        )
        for name, value in found["images_per_second"].items():
            print(f"  {name:<32} {value:>6,} images/s")
        print(
            f"  {found['speedup_vs_snntorch']}x snnTorch's step loop, same losses and gradients: {found['equal']}"
        )
        print(
            f"  {found['speedup_with_moments_of_the_batch']}x as both train; integers {found['speedup_of_integers']}x"
        )
    if not found["equal"]:
        sys.exit(f"losses or gradients differ: {found['same']}")


if __name__ == "__main__":
    main()
