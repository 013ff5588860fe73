from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.support.graphs import random_graph, random_images
from toolchain.cost.event_lists import LayerEvents, Lists, calibrated, convolutions
from toolchain.cost.kernel_choice import EventCosts, choice, choices, event_costs
from toolchain.graph.codes import WIDTHS
from toolchain.graph.nodes import Lif
from toolchain.profiles.schema import Core

COSTS = EventCosts(row=15, event=4, list=15, listed=2)
GRAPH = random_graph(1)
NODE = next(node for node in GRAPH.all(Lif) if convolutions(node))


def events(apart: Lists, shared: Lists, images: int = 1) -> LayerEvents:
    return LayerEvents(images, 1000, 100, 500, 25, apart, shared)


def test_instructions_are_of_every_block_but_for_the_listing() -> None:
    assert COSTS.instructions(Lists(rows=10, events=5, lists=2), 3) == 3 * (150 + 20 + 30) + 10


def test_rows_that_are_saved_are_weighed_against_the_third_list() -> None:
    node = replace(NODE, shape=NODE.shape._replace(channels=16))
    saves = choice(node, COSTS, events(Lists(100, 20, 2), Lists(80, 25, 3)))
    assert saves.share and (saves.shared_instructions, saves.apart_instructions) == (1395, 1650)
    assert saves.reason == (
        "5.0% of the neurons fire in both of two time steps: adding their rows once saves 15.5% of the instructions"
    )
    costs = choice(node, COSTS, events(Lists(100, 20, 2), Lists(99, 25, 3)))
    assert not costs.share and costs.reason.endswith("would take 1.8% more instructions than without")
    neither = choice(node, COSTS, events(Lists(100, 20, 2), Lists(100, 20, 2)))
    assert not neither.share and neither.reason.endswith("would save nothing")


def test_instructions_are_those_of_an_image() -> None:
    node = replace(NODE, shape=NODE.shape._replace(channels=16))
    found = choice(node, COSTS, events(Lists(400, 80, 8), Lists(320, 100, 12), images=4))
    assert (found.shared_instructions, found.apart_instructions) == (1395, 1650)


def test_without_images_rows_are_shared_but_not_in_one_time_step() -> None:
    found = choices(GRAPH, "cortex-m4", None)
    assert found.keys() == {node.name for node in GRAPH.all(Lif) if convolutions(node)}
    assert all(each.share and "no images" in each.reason for each in found.values())
    assert all(each.apart_instructions is None for each in found.values())
    once = choices(replace(GRAPH, time_steps=1), "cortex-m4", None)
    assert not any(each.share for each in once.values())
    assert {each.reason for each in once.values()} == {"there is one time step, and so nothing to share"}


@pytest.mark.parametrize("core", [*get_args(Core), None])
def test_every_core_has_costs(core: Core | None) -> None:
    for bits in WIDTHS:
        costs = event_costs(core, bits)
        assert costs.row > 5 and costs.list > 5 and min(costs) >= -2
    found = choices(GRAPH, core, calibrated(GRAPH, random_images(GRAPH, 3)))
    assert all(each.apart_instructions for each in found.values())
