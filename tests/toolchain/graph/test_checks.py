"""Each rule is broken once, and must say so; the shared random graphs break none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph import checks
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Leak, Lif, PixelConv, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

SHAPE = Shape(2, 4, 4)


def lif(name: str, *edges: Any, shape: Shape = SHAPE, **fields: Any) -> Lif:
    channels = shape.channels
    arrays = {
        "bias": np.zeros(channels, np.int16),
        "threshold": np.full(channels, 64, np.int16),
        "exponent": np.full(channels, 6, np.uint8),
    }
    return Lif(name, shape, edges, **(arrays | fields))


def pixel_conv(**fields: Any) -> PixelConv:
    arrays = {"weight": np.ones((2, 1, 3, 3), np.int8), "rounding": np.full(2, 8, np.uint8)}
    return PixelConv("pixels", 3, 1, **(arrays | fields))


def graph(*middle: Any, source: str = "node", labels: int = 2, time_steps: int = 4, **head: Any) -> Graph:
    values = {
        "classes": 2,
        "weight": np.ones((2, 2), np.int8),
        "bias": np.zeros(2, np.int32),
        "exponent": 4,
    } | head
    nodes = middle or (lif("stem", pixel_conv()), lif("node", Skip("stem")))
    return Graph(
        (Input("pixels", Shape(1, 4, 4)), *nodes, Head("head", source, **values)),
        time_steps,
        Preprocessing(4, 4, "grey"),
        tuple(map(str, range(labels))),
    )


def framed(frames: int) -> Graph:
    """A sound network but for its frames."""
    events = replace(EVENTS, events=EventFrames(frames, 1000, 1, 8, 8))
    stem = lif("stem", pixel_conv(weight=np.ones((2, 2, 3, 3), np.int8), rounding=np.full(2, 9, np.uint8)))
    found = graph(stem, lif("node", Skip("stem")))
    return replace(
        found, nodes=(Input("pixels", Shape(2, 4, 4), frames), *found.nodes[1:]), preprocessing=events
    )


EVENTS = Preprocessing(4, 4, "polarity", events=EventFrames(4, 1000, 1, 8, 8))
STEM = lif("stem", pixel_conv())


def packed(bits: int, shift: int = 0, weight: int = 0) -> Graph:
    """A sound graph whose second node has weights of ``bits`` bits, all but one of which are 1 or 2**shift."""
    values = np.full((2, 2, 1, 1), 1 << shift, np.int8)
    values[1, 1] = weight
    edge, fields = SpikeConv("stem", 1, 1, values), {"code_shift": np.full(2, shift, np.uint8)}
    return graph(STEM, lif("node", edge, bits=bits, **fields))


HUGE = {"weight": np.full((2, 1, 3, 3), 127, np.int8), "rounding": np.zeros(2, np.uint8)}

BROKEN: list[tuple[Callable[[Graph], Any], Graph, str]] = [
    (checks.names, graph(replace(STEM, name="Stem"), lif("node", Skip("Stem"))), "lower-case"),
    (checks.names, graph(replace(STEM, name="a;b"), lif("node", Skip("a;b"))), "lower-case"),
    (checks.names, graph(STEM, lif("stem", Skip("stem")), source="stem"), "used twice"),
    (checks.order, graph(lif("node", Skip("stem")), STEM), "does not come before"),
    (checks.order, graph(STEM, lif("node")), "has no edge"),
    (checks.order, Graph((STEM,), 4, Preprocessing(4, 4, "grey"), ("a", "b")), "must be an input"),
    (checks.used, graph(STEM, lif("dead", Skip("stem")), lif("node", Skip("stem"))), "read by no other"),
    (checks.sizes, graph(time_steps=9), "9 time steps"),
    (checks.sizes, graph(labels=3), "3 labels"),
    (checks.sizes, graph(STEM, lif("node", Skip("stem"), shape=Shape(2, 0, 4))), "the shape"),
    (checks.pixels, replace(graph(), preprocessing=Preprocessing(4, 5, "grey")), "grey images of 5x4"),
    (checks.pixels, replace(graph(), preprocessing=Preprocessing(4, 4, "rgb")), "rgb images of 4x4"),
    (checks.pixels, replace(graph(), preprocessing=EVENTS), "gives 4"),
    (checks.frames, framed(3), "takes 3 frames, but the network has 4 time steps"),
    (checks.connections, graph(STEM, lif("node", Skip("pixels"))), "wrong type"),
    (checks.connections, graph(STEM, lif("node", pixel_conv(), Skip("stem"))), "beside other edges"),
    (checks.shapes, graph(STEM, lif("node", Skip("stem"), shape=Shape(3, 4, 4))), "does not fit"),
    (
        checks.shapes,
        graph(replace(STEM, edges=(replace(pixel_conv(), kernel=5),)), lif("node", Skip("stem"))),
        "5x5",
    ),
    (
        checks.shapes,
        graph(replace(STEM, edges=(replace(pixel_conv(), stride=2),)), lif("node", Skip("stem"))),
        "give",
    ),
    (checks.array_forms, graph(weight=np.ones((2, 3), np.int8)), "not int8[2, 2]"),
    (checks.array_forms, graph(weight=np.ones((2, 2), np.int16)), "not int8"),
    (
        checks.array_forms,
        graph(replace(STEM, bias=np.zeros(2, np.int32)), lif("node", Skip("stem"))),
        "not int16[2]",
    ),
    (checks.constants, graph(features="sum"), "count and flatten"),
    (
        checks.constants,
        graph(replace(STEM, leak=Leak("subtract", 0)), lif("node", Skip("stem"))),
        "shifts are 1 to 15",
    ),
    (
        checks.constants,
        graph(replace(STEM, exponent=np.full(2, 13, np.uint8)), lif("node", Skip("stem"))),
        "exponent",
    ),
    (
        checks.constants,
        graph(replace(STEM, threshold=np.zeros(2, np.int16)), lif("node", Skip("stem"))),
        "under 1",
    ),
    (
        checks.no_saturation,
        graph(replace(STEM, edges=(pixel_conv(**HUGE),)), lif("node", Skip("stem"))),
        "leave int16",
    ),
    (checks.no_saturation, graph(bias=np.full(2, 1 << 24, np.int32)), "2**24"),
    (checks.sizes, graph(shifts=(1,)), "2 outputs but 1 shifts"),
    (checks.constants, graph(shifts=(0, -31)), "rescale the targets"),
]


BROKEN += [
    (checks.widths, graph(STEM, lif("node", Skip("stem"), bits=4)), "no weights of spikes"),
    (checks.widths, graph(replace(STEM, bits=2), lif("node", Skip("stem"))), "no weights of spikes"),
    (checks.widths, graph(bits=3), "in 3 bits; 8, 4 and 2"),
    (checks.widths, graph(bits=0), "in 0 bits"),
    (checks.stored, graph(code_shift=np.zeros(2, np.uint8)), "8 bits do without"),
    (checks.stored, packed(8), "8 bits do without"),
    (checks.stored, packed(4, shift=7), "outside 0 to 6"),
    (checks.stored, packed(4, weight=8), "1 channels, first 1, that are not -7 to 7"),
    (checks.stored, packed(4, shift=1, weight=3), "not -7 to 7 times 2**shift"),
    (checks.stored, packed(2, shift=3, weight=-16), "not -1 to 1"),
    (checks.stored, graph(bits=2, code_shift=np.ones(2, np.uint8)), "cannot be stored in 2 bits"),
    (checks.array_forms, graph(bits=4, code_shift=np.zeros(2, np.int8)), "code_shift is int8[2]"),
]


@pytest.mark.parametrize(
    ("bits", "shift", "weight"), [(4, 0, -7), (4, 4, 112), (4, 6, 64), (2, 6, -64), (2, 0, 0)]
)
def test_weights_that_codes_can_say(bits: int, shift: int, weight: int) -> None:
    assert checks.findings(packed(bits, shift, weight)) == []


def test_a_shift_is_trained_with_the_weights_it_belongs_to() -> None:
    bare = graph(bits=4)
    checks.require_valid(bare, "net.json")
    with pytest.raises(InputError, match=r"no trained weights \(head.code_shift is missing\)"):
        checks.require_valid(bare, "net.json", weights=True)


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_each_rule_says_what_is_broken(rule: Callable[[Graph], Any], broken: Graph, says: str) -> None:
    found = [finding for finding in checks.findings(broken) if finding.rule == rule.__name__]
    assert found and says in " ".join(str(finding) for finding in found)


def test_the_sound_graph_that_the_broken_ones_come_from_has_no_finding() -> None:
    assert checks.findings(graph()) == checks.findings(framed(4)) == checks.findings(framed(1)) == []


def test_every_rule_has_a_broken_case_and_a_docstring() -> None:
    rules = {rule for stage in checks.STAGES for rule in stage}
    assert rules == {rule for rule, _, _ in BROKEN}
    assert all(rule.__doc__ for rule in rules)


def test_all_findings_are_reported_at_once() -> None:
    broken = graph(
        replace(STEM, leak=Leak("subtract", 0), reset="never"),
        lif("node", Skip("stem"), shape=Shape(3, 4, 4)),
    )
    assert len(checks.findings(broken)) == 3


def test_a_count_that_a_uint16_cannot_hold() -> None:
    side = 128
    shape = Shape(2, side, side)
    stem = lif("stem", pixel_conv(), shape=shape)
    large = graph(stem, lif("node", Skip("stem"), shape=shape))
    nodes = (Input("pixels", Shape(1, side, side)), *large.nodes[1:])
    large = replace(large, nodes=nodes, preprocessing=Preprocessing(side, side, "grey"))
    assert "uint16" in str(checks.findings(large)[0])


def test_require_valid_names_origin_and_missing_weights() -> None:
    with pytest.raises(InputError, match=r"net\.json is not a valid network: .*9 time steps"):
        checks.require_valid(graph(time_steps=9), "net.json")
    with pytest.raises(InputError, match="no trained weights"):
        checks.require_valid(graph(weight=None), "net.json", weights=True)


def test_a_head_without_exponent_has_no_trained_weights() -> None:
    bare = graph(exponent=None)
    checks.require_valid(bare, "net.json")
    assert graph().has_weights and not bare.has_weights
    with pytest.raises(InputError, match=r"no trained weights \(head.exponent is missing\)"):
        checks.require_valid(bare, "net.json", weights=True)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_are_valid(seed: int) -> None:
    assert checks.findings(random_graph(seed)) == []
