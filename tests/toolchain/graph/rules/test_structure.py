from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.toolchain.graph.rules.sound import EVENTS, STEM, framed, graph, lif, pixel_conv
from toolchain.graph import checks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape, Skip
from toolchain.graph.preprocessing import Preprocessing
from toolchain.graph.rules import structure

BROKEN: list[tuple[Callable[[Graph], Any], Graph, str]] = [
    (structure.names, graph(replace(STEM, name="Stem"), lif("node", Skip("Stem"))), "lower-case"),
    (structure.names, graph(replace(STEM, name="a;b"), lif("node", Skip("a;b"))), "lower-case"),
    (structure.names, graph(STEM, lif("stem", Skip("stem")), source="stem"), "used twice"),
    (structure.order, graph(lif("node", Skip("stem")), STEM), "does not come before"),
    (structure.order, graph(STEM, lif("node")), "has no edge"),
    (structure.order, Graph((STEM,), 4, Preprocessing(4, 4, "grey"), ("a", "b")), "must be an input"),
    (structure.used, graph(STEM, lif("dead", Skip("stem")), lif("node", Skip("stem"))), "read by no other"),
    (structure.sizes, graph(time_steps=9), "9 time steps"),
    (structure.sizes, graph(labels=3), "3 labels"),
    (structure.sizes, graph(STEM, lif("node", Skip("stem"), shape=Shape(2, 0, 4))), "the shape"),
    (structure.pixels, replace(graph(), preprocessing=Preprocessing(4, 5, "grey")), "grey images of 5x4"),
    (structure.pixels, replace(graph(), preprocessing=Preprocessing(4, 4, "rgb")), "rgb images of 4x4"),
    (structure.pixels, replace(graph(), preprocessing=EVENTS), "gives 4"),
    (structure.frames, framed(3), "takes 3 frames, but the network has 4 time steps"),
    (structure.connections, graph(STEM, lif("node", Skip("pixels"))), "wrong type"),
    (structure.connections, graph(STEM, lif("node", pixel_conv(), Skip("stem"))), "beside other edges"),
    (structure.shapes, graph(STEM, lif("node", Skip("stem"), shape=Shape(3, 4, 4))), "does not fit"),
    (
        structure.shapes,
        graph(replace(STEM, edges=(replace(pixel_conv(), kernel=5),)), lif("node", Skip("stem"))),
        "5x5",
    ),
    (
        structure.shapes,
        graph(replace(STEM, edges=(replace(pixel_conv(), stride=2),)), lif("node", Skip("stem"))),
        "give",
    ),
    (structure.sizes, graph(shifts=(1,)), "2 outputs but 1 shifts"),
]


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_each_rule_says_what_is_broken(rule: Callable[[Graph], Any], broken: Graph, says: str) -> None:
    found = [finding for finding in checks.findings(broken) if finding.rule == rule.__name__]
    assert found and says in " ".join(str(finding) for finding in found)
