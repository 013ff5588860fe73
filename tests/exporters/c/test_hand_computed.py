"""Small networks whose scores are computed by hand: each a corner of the arithmetic."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pytest

from tests.support.c_networks import CNetwork, compiled
from toolchain.graph import reference
from toolchain.graph.bounds import INT16_MAX
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Edge,
    Head,
    Input,
    Leak,
    Lif,
    Node,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
)
from toolchain.graph.preprocessing import Preprocessing

NO_LEAK = Leak("none", 1)


def lif(
    name: str,
    shape: Shape,
    *edges: Edge,
    threshold: int = 1,
    bias: int = 0,
    exponent: int = 3,
    leak: Leak = NO_LEAK,
    reset: Literal["subtract", "zero"] = "subtract",
) -> Lif:
    channels = shape.channels
    return Lif(
        name,
        shape,
        edges,
        leak,
        reset,
        np.full(channels, bias, np.int16),
        np.full(channels, threshold, np.int16),
        np.full(channels, exponent, np.uint8),
    )


def pixels(weight: int, rounding: int = 0, channels: int = 1) -> PixelConv:
    return PixelConv(
        "pixels", 1, 1, np.full((channels, 1, 1, 1), weight, np.int8), np.full(channels, rounding, np.uint8)
    )


def network(time_steps: int, shape: Shape, *nodes: Node) -> Graph:
    """Pixels of one channel and the sides of ``shape``, ``nodes``, and a head that counts the last one's spikes."""
    last = nodes[-1]
    assert not isinstance(last, Head)
    channels = last.shape.channels
    head = Head(
        "head", last.name, channels, "count", np.eye(channels, dtype=np.int8), np.zeros(channels, np.int32), 0
    )
    source = Input("pixels", Shape(1, shape.height, shape.width))
    labels = tuple(f"count {k}" for k in range(channels))
    return Graph((source, *nodes, head), time_steps, Preprocessing(shape.height, shape.width, "grey"), labels)


ONE = Shape(1, 1, 1)


class Case(NamedTuple):
    """A network, its pixels row by row, and the spike counts of its last node."""

    graph: Graph
    pixels: list[int]
    counts: list[int]


def driven(time_steps: int, weight: int, pixel: int, counts: int, **lif_fields: object) -> Case:
    node = lif("stem", ONE, pixels(weight), **lif_fields)  # type: ignore[arg-type]
    return Case(network(time_steps, ONE, node), [pixel], [counts])


EYE = np.eye(1, dtype=np.int8).reshape(1, 1, 1, 1)
LATE = lif("stem", ONE, pixels(1), threshold=2)
ALL = lif("stem", Shape(1, 5, 5), pixels(1), threshold=1)

CASES = {
    # u = 10 = threshold: fires; subtracting leaves 0, so it fires in each of the three steps.
    "fires where u equals the threshold": driven(3, 1, 10, 3, threshold=10),
    "silent one below the threshold": driven(1, 1, 9, 0, threshold=10),
    # 9, 18-10=8, 17-10=7: the rest of the potential stays.
    "subtraction keeps the rest": driven(3, 1, 9, 2, threshold=10),
    # 9, 18 -> 0, 9: zeroing forgets it.
    "zeroing forgets the rest": driven(3, 1, 9, 1, threshold=10, reset="zero"),
    # i = 4: 4, 4-1+4 = 7, 7-1+4 = 10 (7 >> 2 is 1): fires in the third step only.
    "leak by subtraction": driven(3, 1, 4, 1, threshold=10, leak=Leak("subtract", 2)),
    # i = 6: 6, 3+6 = 9, 4+6 = 10: fires in the third step.
    "leak by shift": driven(3, 1, 6, 1, threshold=10, leak=Leak("shift", 1)),
    # The stem fires in the second step: i = -1, then 7. u = -1, then -1 - floor(-1 / 4) + 7 = 7.
    "leak by subtraction below zero": Case(
        network(2, ONE, LATE, lif("node", ONE, Skip("stem"), bias=-1, threshold=7, leak=Leak("subtract", 2))),
        [1],
        [1],
    ),
    # The same with u = -1, then floor(-1 / 2) + 7 = 6.
    "leak by shift below zero": Case(
        network(2, ONE, LATE, lif("node", ONE, Skip("stem"), bias=-1, threshold=7, leak=Leak("shift", 1))),
        [1],
        [0],
    ),
    # floor((4 + 4) / 8) = 1.
    "rounding goes up at a half": Case(network(1, ONE, lif("stem", ONE, pixels(4, 3))), [1], [1]),
    # floor((-12 + 4) / 8) = -1 and floor((-13 + 4) / 8) = -2; with a bias of 2 that is 1 and 0.
    "rounding goes up at a half below zero": Case(
        network(1, ONE, lif("stem", ONE, pixels(-12, 3), bias=2)), [1], [1]
    ),
    "rounding is the floor below zero": Case(
        network(1, ONE, lif("stem", ONE, pixels(-13, 3), bias=2)), [1], [0]
    ),
    # Rows and columns 0, 2, 4 of a 5x5 map: nine positions.
    "stride 2 on odd sides": Case(
        network(1, Shape(1, 5, 5), ALL, lif("node", Shape(1, 3, 3), SpikeConv("stem", 1, 2, EYE))),
        [1 if row % 2 == 0 and column % 2 == 0 else 0 for row in range(5) for column in range(5)],
        [9],
    ),
    # The last row and column are dropped: a spike there is in no window.
    "OR pooling drops an odd edge": Case(
        network(1, Shape(1, 5, 5), ALL, OrPool("pool", Shape(1, 2, 2), "stem")),
        [1] + [0] * 8 + [1] + [0] * 10 + [1, 1, 1, 1, 1],
        [1],
    ),
    # e = 3: a skip adds 8; three steps of 8 against a threshold of 12: 8, 16-12=4, 12-12=0.
    "a node of skips alone": Case(
        network(3, ONE, lif("stem", ONE, pixels(1)), lif("node", ONE, Skip("stem"), threshold=12)), [1], [2]
    ),
    # e = 5: 2^2 for each of the spikes in the window; 9 in the middle (36), 6 at a side (24), 4 in a corner (16).
    "average pooling counts the window": Case(
        network(
            1,
            Shape(1, 3, 3),
            lif("stem", Shape(1, 3, 3), pixels(1)),
            lif("node", Shape(1, 3, 3), Pool("stem"), threshold=24, exponent=5),
        ),
        [1] * 9,
        [5],
    ),
}


def at_the_ends_of_int16(bits: int, code: int, shift: int, inputs: int, side: int) -> Case:
    """Sums of weights that, with the bias, end at 32767 in channel 0 and at -32767 in channel 1.

    Channels 0, 1, 8 and 9 are in one word of a row, and 0 and 8, 1 and 9 in one of the sums: a carry or borrow would
    tip channels 8 (99 of 100) and 9 (100 of 100). Only the middle of a ``side`` x ``side`` map sees all neurons.
    """
    sources, weight = Shape(inputs, side, side), np.zeros((10, inputs, side, side), np.int8)
    weight[0], weight[1] = code << shift, -code << shift
    bias = np.zeros(10, np.int16)
    bias[0] = INT16_MAX - (inputs * side**2 * code << shift)
    assert 0 < bias[0] < 1 << shift + 4
    bias[1], bias[8], bias[9] = -bias[0], 99, 100
    threshold = np.full(10, 100, np.int16)
    threshold[0], threshold[1] = 32000, 1
    node = Lif(
        "node",
        Shape(10, side, side),
        (SpikeConv("stem", side, 1, weight),),
        NO_LEAK,
        bias=bias,
        threshold=threshold,
        exponent=np.full(10, 3, np.uint8),
        bits=bits,
        code_shift=None if bits == 8 else np.array([shift, shift, 0, 0, 0, 0, 0, 0, 0, 5], np.uint8),
    )
    stem = lif("stem", sources, pixels(1, channels=inputs))
    counts = [1, *[0] * 8, side**2]
    return Case(network(1, Shape(1, side, side), stem, node), [1] * side**2, counts)


CASES["sums of weights reach the ends of int16"] = at_the_ends_of_int16(8, 127, 0, 258, 1)
CASES["sums of codes of 4 bits reach the ends of int16"] = at_the_ends_of_int16(4, 7, 0, 520, 3)
CASES["sums of codes of 4 bits reach the ends of int16 when shifted"] = at_the_ends_of_int16(4, 7, 4, 292, 1)
CASES["sums of codes of 2 bits reach the ends of int16"] = at_the_ends_of_int16(2, 1, 0, 3640, 3)
CASES["sums of codes of 2 bits reach the ends of int16 when shifted"] = at_the_ends_of_int16(2, 1, 6, 511, 1)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CNetwork]:
    graphs = [case.graph for case in CASES.values()]
    return dict(zip(CASES, compiled(graphs, tmp_path_factory.mktemp("hand")), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_case(networks: dict[str, CNetwork], name: str) -> None:
    case = CASES[name]
    image = np.array(case.pixels, np.uint8).reshape(1, *case.graph.input.shape)
    assert networks[name].scores(image)[0].tolist() == case.counts
    assert reference.scores(case.graph, image)[0].tolist() == case.counts
