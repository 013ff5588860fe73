"""A sound Graph, and the parts of which broken ones are made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, Skip, SpikeConv
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
