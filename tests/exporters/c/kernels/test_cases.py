"""The drawn layers are what the suite is worth: they reach every corner, and the bounds themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exporters.c.kernels.cases import KERNELS, Case, draw
from tests.exporters.c.kernels.suite import KernelSuite
from toolchain.graph import reference
from toolchain.graph.bounds import INT16_MAX, INT16_MIN
from toolchain.graph.nodes import Lif, OrPool, PixelConv, Pool, Skip, SpikeConv

LAYERS = [
    kernel for kernel in KERNELS if kernel.startswith(("snn_pixel", "snn_frames", "snn_spike", "snn_pass"))
]
CONVOLUTIONS = [kernel for kernel in KERNELS if kernel.startswith("snn_spike")]
SUMS_OF_BYTES = 257
"""Sums of as many bytes may reach 2^16."""


def cases(kernel: str) -> list[Case]:
    return list(KernelSuite().drawn(kernel))


def layer(case: Case) -> Lif:
    node = case.graph.node(case.node)
    assert isinstance(node, Lif)
    return node


def extremes(case: Case) -> tuple[int, int]:
    """The least of u - threshold and the largest u that the layer comes to."""
    node, found = layer(case), []
    threshold = reference.per_channel(node.threshold.astype(np.int64))  # type: ignore[union-attr]
    potential = np.zeros((1, *node.shape), np.int64)
    for step in range(case.graph.time_steps):
        before, drive = potential, case.drive(step)[np.newaxis]
        reached = node.leak.apply(before) + drive
        _, potential = reference.fire(node, before, drive)
        found.append((int((reached - threshold).min()), int(reached.max())))
    return min(low for low, _ in found), max(high for _, high in found)


def rows_of_a_window(case: Case) -> int:
    """Most rows of weights that one neuron adds up in one time step."""
    most = 0
    for step in range(case.graph.time_steps):
        sums: NDArray[np.int64] = np.zeros((1, 1, *layer(case).shape[1:]), np.int64)
        for edge in layer(case).edges:
            if isinstance(edge, SpikeConv) and edge.weight is not None:
                ones = np.ones((1, *edge.weight.shape[1:]), np.int64)
                source = case.spikes[edge.source][step][np.newaxis].astype(np.int64)
                sums = sums + reference.convolve(source, ones, edge.stride)
        most = max(most, int(sums.max()))
    return most


@pytest.mark.parametrize("kernel", LAYERS)
def test_potentials_reach_the_ends_of_int16(kernel: str) -> None:
    found = [extremes(case) for case in cases(kernel)]
    assert min(low for low, _ in found) <= INT16_MIN + 4 and max(high for _, high in found) >= INT16_MAX - 4
    assert all(low >= INT16_MIN and high <= INT16_MAX for low, high in found)


@pytest.mark.parametrize("kernel", CONVOLUTIONS)
def test_sums_are_longer_than_a_sum_of_bytes_holds(kernel: str) -> None:
    assert sum(rows_of_a_window(case) > 1.5 * SUMS_OF_BYTES for case in cases(kernel)) >= 2


@pytest.mark.parametrize("kernel", LAYERS)
def test_layers_are_alive(kernel: str) -> None:
    """Of outputs that are all alike, none would tell where it came from."""
    assert sum(0.02 < case.expected.mean() < 0.98 for case in cases(kernel)) > 0.7 * len(cases(kernel))


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_form_is_drawn(kernel: str) -> None:
    drawn = cases(kernel)
    shapes = [case.graph.source_shape(case.graph.head.source) for case in drawn]
    assert {case.graph.time_steps % 2 for case in drawn} == {0, 1}
    assert {shape.channels % 16 == 0 for shape in shapes} == {True, False}
    assert len({shape.channels for shape in shapes}) > 8 and max(shape.channels for shape in shapes) > 48
    assert {side % 2 for shape in shapes for side in shape[1:]} == {0, 1} and min(min(s) for s in shapes) == 1
    if kernel in LAYERS:
        leaks = {layer(case).leak.form for case in drawn}
        assert leaks == {"none", "subtract", "shift"} and {layer(case).reset for case in drawn} == {
            "subtract",
            "zero",
        }


@pytest.mark.parametrize("kernel", CONVOLUTIONS)
def test_every_edge_is_drawn(kernel: str) -> None:
    drawn = cases(kernel)
    edges = [edge for case in drawn for edge in layer(case).edges]
    assert {type(edge) for edge in edges} == {SpikeConv, Skip, Pool}
    forms = {(edge.kernel, edge.stride) for edge in edges if isinstance(edge, SpikeConv)}
    assert forms == {(1, 1), (1, 2), (3, 1), (3, 2)}
    several = [case for case in drawn if sum(isinstance(edge, SpikeConv) for edge in layer(case).edges) > 1]
    assert several and {case.share for case in drawn} == {0, 1}
    densities = [np.mean([spikes.mean() for spikes in case.spikes.values()]) for case in drawn]
    assert min(densities) == 0 and max(densities) == 1


@pytest.mark.parametrize("kernel", ["snn_pixel", "snn_frames"])
def test_every_convolution_of_pixels_is_drawn(kernel: str) -> None:
    edges = [edge for case in cases(kernel) for edge in layer(case).edges if isinstance(edge, PixelConv)]
    assert {(edge.kernel, edge.stride) for edge in edges} == {(1, 1), (1, 2), (3, 1), (3, 2)}
    assert len({int(rounding) for edge in edges for rounding in edge.rounding}) > 4  # type: ignore[union-attr]


def test_odd_rows_and_columns_are_dropped_by_pooling() -> None:
    sources = [
        case.graph.source_shape(node.source)
        for case in cases("snn_or_pool")
        for node in case.graph.all(OrPool)
    ]
    assert {(shape.height % 2, shape.width % 2) for shape in sources} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_both_heads_are_drawn_in_all_widths() -> None:
    for kernel, bits in (("snn_head", {8}), ("snn_packed_head", {4, 2})):
        heads = [case.graph.head for case in cases(kernel)]
        assert {head.bits for head in heads} == bits and {head.features for head in heads} == {
            "count",
            "flatten",
        }


def test_a_case_is_the_same_for_the_same_seed() -> None:
    one, other = draw("snn_spike_8", 3), draw("snn_spike_8", 3)
    assert one is not other and one.graph.sha256() == other.graph.sha256()
    assert np.array_equal(one.expected, other.expected)
