from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.toolchain.graph.rules.sound import STEM, graph, lif, packed, pixel_conv
from toolchain.graph import checks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Input, Leak, Shape, Skip
from toolchain.graph.preprocessing import Preprocessing
from toolchain.graph.rules import numbers

HUGE = {"weight": np.full((2, 1, 3, 3), 127, np.int8), "rounding": np.zeros(2, np.uint8)}

BROKEN: list[tuple[Callable[[Graph], Any], Graph, str]] = [
    (numbers.array_forms, graph(weight=np.ones((2, 3), np.int8)), "not int8[2, 2]"),
    (numbers.array_forms, graph(weight=np.ones((2, 2), np.int16)), "not int8"),
    (
        numbers.array_forms,
        graph(replace(STEM, bias=np.zeros(2, np.int32)), lif("node", Skip("stem"))),
        "not int16[2]",
    ),
    (numbers.constants, graph(features="sum"), "count and flatten"),
    (
        numbers.constants,
        graph(replace(STEM, leak=Leak("subtract", 0)), lif("node", Skip("stem"))),
        "shifts are 1 to 15",
    ),
    (
        numbers.constants,
        graph(replace(STEM, exponent=np.full(2, 13, np.uint8)), lif("node", Skip("stem"))),
        "exponent",
    ),
    (
        numbers.constants,
        graph(replace(STEM, threshold=np.zeros(2, np.int16)), lif("node", Skip("stem"))),
        "under 1",
    ),
    (
        numbers.no_saturation,
        graph(replace(STEM, edges=(pixel_conv(**HUGE),)), lif("node", Skip("stem"))),
        "leave int16",
    ),
    (numbers.no_saturation, graph(bias=np.full(2, 1 << 24, np.int32)), "2**24"),
    (numbers.constants, graph(shifts=(0, -31)), "rescale the targets"),
    (numbers.widths, graph(STEM, lif("node", Skip("stem"), bits=4)), "no weights of spikes"),
    (numbers.widths, graph(replace(STEM, bits=2), lif("node", Skip("stem"))), "no weights of spikes"),
    (numbers.widths, graph(bits=3), "in 3 bits; 8, 4 and 2"),
    (numbers.widths, graph(bits=0), "in 0 bits"),
    (numbers.stored, graph(code_shift=np.zeros(2, np.uint8)), "8 bits do without"),
    (numbers.stored, packed(8), "8 bits do without"),
    (numbers.stored, packed(4, shift=7), "outside 0 to 6"),
    (numbers.stored, packed(4, weight=8), "1 channels, first 1, that are not -7 to 7"),
    (numbers.stored, packed(4, shift=1, weight=3), "not -7 to 7 times 2**shift"),
    (numbers.stored, packed(2, shift=3, weight=-16), "not -1 to 1"),
    (numbers.stored, graph(bits=2, code_shift=np.ones(2, np.uint8)), "cannot be stored in 2 bits"),
    (numbers.array_forms, graph(bits=4, code_shift=np.zeros(2, np.int8)), "code_shift is int8[2]"),
]


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_each_rule_says_what_is_broken(rule: Callable[[Graph], Any], broken: Graph, says: str) -> None:
    found = [finding for finding in checks.findings(broken) if finding.rule == rule.__name__]
    assert found and says in " ".join(str(finding) for finding in found)


@pytest.mark.parametrize(
    ("bits", "shift", "weight"), [(4, 0, -7), (4, 4, 112), (4, 6, 64), (2, 6, -64), (2, 0, 0)]
)
def test_weights_that_codes_can_say(bits: int, shift: int, weight: int) -> None:
    assert checks.findings(packed(bits, shift, weight)) == []


def test_a_count_that_a_uint16_cannot_hold() -> None:
    side = 128
    shape = Shape(2, side, side)
    stem = lif("stem", pixel_conv(), shape=shape)
    large = graph(stem, lif("node", Skip("stem"), shape=shape))
    nodes = (Input("pixels", Shape(1, side, side)), *large.nodes[1:])
    large = replace(large, nodes=nodes, preprocessing=Preprocessing(side, side, "grey"))
    assert "uint16" in str(checks.findings(large)[0])
