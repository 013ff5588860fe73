"""The price of spikes."""

from __future__ import annotations

import pytest
import torch

from tests.toolchain.training.small import network
from toolchain.cost.operations import operations
from toolchain.training.activity import WEIGHT, SpikeRate


def test_the_rate_is_the_share_of_the_dense_operations_that_spikes_cause() -> None:
    graph = network()
    spikes = {node.name: (torch.rand(3, 2, *node.shape) < 0.3).float() for node in graph.nodes[1:-1]}  # type: ignore[union-attr]
    rates = {name: float(values.mean()) for name, values in spikes.items()}
    counted = operations(graph, rates)
    assert counted.effective_acs is not None
    assert float(SpikeRate(graph, 1.0).rate(spikes)) == pytest.approx(
        counted.effective_acs / counted.dense_acs, rel=1e-3
    )


def test_only_what_is_above_the_aim_costs_and_its_spikes_feel_it() -> None:
    graph = network()
    spikes = {"stem": torch.full((3, 1, 8, 8, 8), 0.2, requires_grad=True)}
    assert SpikeRate(graph, 0.3).penalty(spikes).item() == 0
    penalty = SpikeRate(graph, 0.1).penalty(spikes)
    assert penalty.item() == pytest.approx(WEIGHT)
    penalty.backward()
    assert spikes["stem"].grad is not None and (spikes["stem"].grad > 0).all()
