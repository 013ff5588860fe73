"""Bits a layer, for the least loss within a budget."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from tests.support.data import bars
from tests.toolchain.training.small import network
from toolchain.cost.graph_demand import graph_demand
from toolchain.errors import OverBudgetError
from toolchain.graph.graph import Graph
from toolchain.graph.widths import narrowable, with_bits
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.course import Course
from toolchain.training.narrowing import choose_bits, sensitivities
from toolchain.training.objective import Classification
from toolchain.training.recipe import Recipe


def constants_bytes(graph: Graph) -> int:
    return int(graph_demand(graph).constants_bytes)


WHOLE = constants_bytes(network())
LEAST = constants_bytes(with_bits(network(), {"node": 2, "head": 2}))


@pytest.mark.parametrize("limit", range(LEAST, WHOLE + 1, 40))
def test_what_is_chosen_fits_and_nothing_that_fits_has_more_bits_everywhere(limit: int) -> None:
    losses = {"node": {8: 0.0, 4: 0.1, 2: 0.5}, "head": {8: 0.0, 4: 0.01, 2: 0.9}}
    bits = choose_bits(network(), losses, lambda graph: constants_bytes(graph) <= limit)
    assert constants_bytes(with_bits(network(), bits)) <= limit
    for node, head in product((8, 4, 2), repeat=2):
        other = {"node": node, "head": head}
        if other != bits and all(other[name] >= bits[name] for name in bits):
            assert constants_bytes(with_bits(network(), other)) > limit


def test_the_layer_that_minds_least_gives_way() -> None:
    limit = constants_bytes(with_bits(network(), {"node": 4}))
    for sensitive, expected in (("node", None), ("head", {"node": 4, "head": 8})):
        losses = {name: {8: 0.0, 4: float(name == sensitive), 2: 9.0} for name in ("node", "head")}
        bits = choose_bits(network(), losses, lambda graph: constants_bytes(graph) <= limit)
        assert expected is None or bits == expected


def test_a_network_that_fits_stays_at_8_bits_and_one_that_never_does_is_refused() -> None:
    losses = {name: {8: 0.0, 4: 0.0, 2: 0.0} for name in ("node", "head")}
    assert set(choose_bits(network(), losses, lambda graph: True).values()) == {8}
    with pytest.raises(OverBudgetError, match="does not fit even with the fewest bits"):
        choose_bits(network(), losses, lambda graph: False)


def test_fewer_bits_lose_more_and_measuring_changes_nothing() -> None:
    data, task = bars(120).train, Classification()
    net = SpikingNetwork(network(), seed=0)
    Course(net, data, task, Recipe(8, 1, 20), seed=0).run()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    losses = sensitivities(net, data, task)
    assert losses.keys() == {"node", "head"}
    assert all(loss[2] >= loss[4] >= loss[8] == 0 for loss in losses.values()) and losses["node"][2] > 0
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert set(narrowable(net.graph).values()) == {8}


def test_a_course_that_goes_on_keeps_the_bits_that_were_chosen() -> None:
    limit = constants_bytes(with_bits(network(), {"node": 4}))

    def course() -> Course:
        net = SpikingNetwork(network(), seed=0)
        fits = lambda graph: constants_bytes(graph) <= limit  # noqa: E731
        return Course(net, bars(120).train, Classification(), Recipe(1, 2, 20), seed=0, fits=fits)

    whole = course()
    graph = whole.run().graph()
    assert 8 > min(narrowable(graph).values()) and constants_bytes(graph) <= limit
    stopped, going = course(), course()
    while stopped.phase.name == "float":
        stopped.phase.advance()
        if stopped.phase.step == stopped.phase.steps:
            stopped.phase.finish()
            stopped.phase = stopped._begin("integer")
    stopped.phase.advance()
    kept = stopped.checkpoint()
    kept.tensors = {name: value.clone() for name, value in kept.tensors.items()}
    going.fits = lambda graph: pytest.fail("bits were chosen already")  # type: ignore[assignment, return-value]
    going.restore(kept)
    assert going.run().graph().sha256() == graph.sha256()
