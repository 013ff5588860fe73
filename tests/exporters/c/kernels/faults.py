"""Faults planted in what a kernel is given: a number off by one, each of which the reference says must show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tests.exporters.c.kernels.cases import KERNELS, STEP_KERNELS, Case, draw
from toolchain.cost import arena
from toolchain.graph.checks import findings
from toolchain.graph.nodes import MAX_EXPONENT, MIN_EXPONENT, Head, Lif, PixelConv, SpikeConv

Rng = np.random.Generator

SEEDS, TRIES = 40, 12
"""Cases in which a fault is looked for that shows, and faults that are tried in each."""

MOST_BYTES = 12_000
"""Arena of such a case: one that the smallest machine has room for."""


def _off_by_one(rng: Rng, array: Any, low: int, high: int, step: Any = 1) -> Any:
    """A copy of ``array`` with one of its numbers a ``step`` (of its first axis) more or less."""
    changed = array.copy()
    index = tuple(int(rng.integers(0, extent)) for extent in array.shape)
    size, value = int(np.broadcast_to(step, array.shape[:1])[index[0]]), int(array[index])
    possible = [other for other in (value - size, value + size) if low * size <= other <= high * size]
    changed[index] = rng.choice(possible)
    return changed


def _weight(rng: Rng, case: Case) -> Case | None:
    node = case.graph.node(case.node)
    if not isinstance(node, Lif | Head):
        return None
    low, high = {8: (-128, 127), 4: (-7, 7), 2: (-1, 1)}[node.bits]
    step = 1 if node.code_shift is None else 1 << node.code_shift.astype(int)
    if isinstance(node, Head):
        return case.with_node(replace(node, weight=_off_by_one(rng, node.weight, low, high, step)))
    edges = list(node.edges)
    convolutions = [k for k, edge in enumerate(edges) if isinstance(edge, PixelConv | SpikeConv)]
    if not convolutions:
        return None
    edge: Any = edges[chosen := int(rng.choice(convolutions))]
    edges[chosen] = replace(edge, weight=_off_by_one(rng, edge.weight, low, high, step))
    return case.with_node(replace(node, edges=tuple(edges)))


def _threshold(rng: Rng, case: Case) -> Case | None:
    node = case.graph.node(case.node)
    if not isinstance(node, Lif):
        return None
    return case.with_node(replace(node, threshold=_off_by_one(rng, node.threshold, 1, 32767)))


def _bias(rng: Rng, case: Case) -> Case | None:
    node = case.graph.node(case.node)
    if isinstance(node, Head):
        return case.with_node(replace(node, bias=_off_by_one(rng, node.bias, -(1 << 24), 1 << 24)))
    if isinstance(node, Lif):
        return case.with_node(replace(node, bias=_off_by_one(rng, node.bias, -32768, 32767)))
    return None


def _exponent(rng: Rng, case: Case) -> Case | None:
    node = case.graph.node(case.node)
    if not isinstance(node, Lif) or all(isinstance(edge, PixelConv | SpikeConv) for edge in node.edges):
        return None
    return case.with_node(replace(node, exponent=_off_by_one(rng, node.exponent, MIN_EXPONENT, MAX_EXPONENT)))


def _spike(rng: Rng, case: Case) -> Case | None:
    if not case.spikes:
        return None
    name = str(rng.choice(sorted(case.spikes)))
    return replace(case, spikes=case.spikes | {name: _off_by_one(rng, case.spikes[name], 0, 1)})


def _pixel(rng: Rng, case: Case) -> Case | None:
    if case.spikes:
        return None
    return replace(case, image=_off_by_one(rng, case.image, 0, 255))


FAULTS: dict[str, Callable[[Rng, Case], Case | None]] = {
    "weight": _weight,
    "threshold": _threshold,
    "bias": _bias,
    "exponent": _exponent,
    "spike": _spike,
    "pixel": _pixel,
}
"""Ways to be off by one; each gives None for a kernel that has no such number."""

HAVE = {
    "weight": set(KERNELS) - {"snn_pass", "snn_or_pool"},
    "threshold": set(KERNELS) - {"snn_or_pool", "snn_head", "snn_packed_head"},
    "bias": set(KERNELS) - {"snn_or_pool"},
    "exponent": {"snn_spike_8", "snn_spike_4", "snn_spike_2", "snn_pass"},
    "spike": set(KERNELS) - {"snn_pixel", "snn_frames"},
    "pixel": {"snn_pixel", "snn_frames"},
}
"""The kernels that have each number."""

for _kernels in HAVE.values():
    _kernels |= {step for step, layers in STEP_KERNELS.items() if _kernels.issuperset(layers)}
for _fault in ("weight", "bias"):
    HAVE[_fault].discard("snn_count_step")


@cache
def showing(kernel: str, fault: str) -> tuple[Case, Case]:
    """A case of ``kernel``, and the same with a ``fault`` that changes its outputs by the reference."""
    for case, planted in _tries(kernel, fault):
        if not findings(planted.graph) and not np.array_equal(case.outcome, planted.outcome):
            return case, planted
    raise AssertionError(f"no {fault} of {kernel} that is off by one shows in any of {SEEDS} cases")


def _tries(kernel: str, fault: str) -> Iterator[tuple[Case, Case]]:
    for seed in range(SEEDS):
        case, rng = draw(kernel, seed), np.random.default_rng(seed)
        if arena.arena_bytes(arena.buffers(case.graph, case.schedule)) > MOST_BYTES:
            continue
        for _ in range(TRIES):
            planted = FAULTS[fault](rng, case)
            if planted is None:
                break
            yield case, planted
