"""Bits a layer, chosen for the least loss within a budget: a sensitivity pass, then the cheapest bytes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch

from toolchain.cost.graph_demand import graph_demand
from toolchain.datasets import Subset
from toolchain.errors import OverBudgetError
from toolchain.graph.codes import WIDTHS
from toolchain.graph.graph import Graph
from toolchain.graph.widths import narrowable, with_bits
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.evaluation import EVALUATION_BATCH
from toolchain.training.objective import Objective

IMAGES = 1_000
"""Training images that losses are measured on: enough to tell the layers apart, seconds to compute."""

Losses = Mapping[str, Mapping[int, float]]
"""Loss added by storing a node in so many bits, the others in 8: name -> bits -> loss, at least 0."""

Fits = Callable[[Graph], bool]


def sensitivities(network: SpikingNetwork, data: Subset, objective: Objective) -> dict[str, dict[int, float]]:
    """The loss that each node of a trained float ``network`` adds on ``data`` when it alone has fewer bits.

    Weights are rounded as training in integers begins with them; nothing is trained.
    """
    names = narrowable(network.graph)
    whole = _loss(network, dict.fromkeys(names, 8), data, objective)
    found: dict[str, dict[int, float]] = {}
    for name in names:
        # Rounding may by chance lower a loss; that is no reason to prefer fewer bits.
        found[name] = {
            bits: 0.0
            if bits == 8
            else max(0.0, _loss(network, dict.fromkeys(names, 8) | {name: bits}, data, objective) - whole)
            for bits in WIDTHS
        }
    return found


def choose_bits(graph: Graph, losses: Losses, fits: Fits) -> dict[str, int]:
    """Bits by node for which ``graph`` fits, at about the least sum of ``losses``.

    From 8 bits everywhere, the step down that costs the least loss a byte is taken until the network fits; then
    what fits in more bits after all gets them back. Raises ``OverBudgetError`` if no bits are few enough.
    """
    bits = dict.fromkeys(losses, max(WIDTHS))
    while not fits(with_bits(graph, bits)):
        steps = [
            (name, lower) for name, now in bits.items() for above, lower in pairwise(WIDTHS) if above == now
        ]
        saving = {step: _saved_bytes(graph, bits, *step) for step in steps}
        useful = [step for step in steps if saving[step] > 0]
        if not useful:
            raise OverBudgetError(
                "the network does not fit even with the fewest bits for every layer; search again with --bits auto "
                "or a smaller --size"
            )
        name, lower = min(
            useful,
            key=lambda step: (losses[step[0]][step[1]] - losses[step[0]][bits[step[0]]]) / saving[step],
        )
        bits[name] = lower
    for name in sorted(bits, key=lambda name: losses[name][bits[name]], reverse=True):
        for more in WIDTHS:
            if more > bits[name] and fits(with_bits(graph, bits | {name: more})):
                bits[name] = more
    return bits


def require_possible(graph: Graph, fits: Fits) -> None:
    """Raise ``OverBudgetError`` if no bits are few enough, which need not be learnt behind a long training."""
    choose_bits(graph, {name: dict.fromkeys(WIDTHS, 0.0) for name in narrowable(graph)}, fits)


def _saved_bytes(graph: Graph, bits: Mapping[str, int], name: str, lower: int) -> int:
    before, after = (graph_demand(with_bits(graph, chosen)) for chosen in (bits, {**bits, name: lower}))
    return int(before.constants_bytes - after.constants_bytes)


@torch.no_grad()
def _loss(network: SpikingNetwork, bits: Mapping[str, int], data: Subset, objective: Objective) -> float:
    graph = network.graph
    network.eval().adopt(with_bits(graph, bits))
    quantized = QuantizedNetwork(network).eval()
    network.adopt(graph)
    device = next(network.parameters()).device
    total = 0.0
    for start in range(0, len(data), EVALUATION_BATCH):
        part = slice(start, start + EVALUATION_BATCH)
        images = torch.from_numpy(data.images[part]).to(device)
        targets = torch.from_numpy(data.targets[part]).to(device)
        total += float(objective.loss(quantized(images), targets)) * len(targets)
    return total / len(data)
