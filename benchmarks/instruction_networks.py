"""Small random networks that have every kernel at work, at densities of spikes from none to nearly all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.codes import MAX_CODE
from toolchain.graph.events import EventFrames
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
    conv_output,
)
from toolchain.graph.preprocessing import Preprocessing

CLASSES = "abcdefghijklmnop"
CHANNELS = (4, 16, 16, 20, 32, 48)
LAYERS = 8
LARGEST_WEIGHT = {8: 9, 4: MAX_CODE[4], 2: MAX_CODE[2]}


def random_network(seed: int, images: int) -> tuple[Graph, NDArray[np.uint8]]:
    """A network with weights, and so many random images for it; the same for the same ``seed``.

    Thresholds are drawn channel by channel around the currents, so that some neurons fire always and some never.
    """
    random = np.random.default_rng(seed)
    steps = int(random.choice([1, 2, 2, 3, 4]))
    framed = steps > 1 and seed % 5 == 4
    side = int(random.choice([7, 9, 12]))
    preprocessing = Preprocessing(side, side, "rgb" if seed % 3 == 1 else "grey")
    if framed:
        preprocessing = Preprocessing(side, side, "polarity", events=EventFrames(steps, 1000, 1, side, side))
    pixels = Shape(preprocessing.planes or 1, side, side)
    nodes: list[Node] = [Input("pixels", pixels, steps if framed else 1)]
    draw = _Draw(random)
    stem = Shape(int(random.choice(CHANNELS)), *conv_output(pixels, 3, 1))
    nodes.append(draw.stem(pixels, stem))
    reading, before = nodes[-1], None
    for index in range(LAYERS):
        if index == LAYERS // 2:
            shape = reading.shape
            nodes.append(
                OrPool("pool", Shape(shape.channels, shape.height // 2, shape.width // 2), reading.name)
            )
        else:
            nodes.append(draw.layer(f"layer{index}", reading, before))
        before = nodes[-2] if nodes[-2].shape == nodes[-1].shape else None
        reading = nodes[-1]
    labels = tuple(CLASSES[: int(random.choice([2, 5, 16]))])
    nodes.append(draw.head(reading, len(labels), flatten=seed % 2 == 0))
    graph = Graph(tuple(nodes), steps, preprocessing, labels)
    return graph, random.integers(0, 256, (images, *graph.input.extents), np.uint8)


class _Draw:
    """Draws nodes with ``random``."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def stem(self, pixels: Shape, shape: Shape) -> Lif:
        weight = self._weight(shape.channels, pixels.channels, 3, 8)
        rounding = self.random.integers(5, 7, shape.channels).astype(np.uint8)
        return self._fires(Lif("stem", shape, (PixelConv("pixels", 3, 1, weight, rounding),)), 80)

    def layer(self, name: str, reading: Lif | OrPool, before: Node | None) -> Lif:
        random = self.random
        bits = int(random.choice([8, 8, 4, 2]))
        kind = str(random.choice(["conv", "conv", "conv", "conv", "stride", "beside", "beside", "pass"]))
        stride = 2 if kind == "stride" and min(reading.shape[1:]) > 2 else 1
        kernel = int(random.choice([1, 3, 3]))
        same = kind in ("beside", "pass")
        channels = reading.shape.channels if same else int(random.choice(CHANNELS))
        shape = Shape(channels, *conv_output(reading.shape, kernel, stride))
        edges: list[Edge] = []
        fan_in = 0
        if kind != "pass":
            fan_in += kernel**2 * reading.shape.channels
            edges.append(
                SpikeConv(
                    reading.name, kernel, stride, self._weight(channels, reading.shape.channels, kernel, bits)
                )
            )
        if same:
            other = before if before is not None and before.shape == reading.shape else reading
            beside = {other.name} if kind == "beside" else {reading.name, other.name}
            edges += [(Pool if random.random() < 0.5 else Skip)(source) for source in sorted(beside)]
            fan_in += 8
        node = Lif(name, shape, tuple(edges), bits=bits if kind != "pass" else 8)
        if node.bits != 8:
            node = replace(node, code_shift=np.zeros(channels, np.uint8))
        return self._fires(node, max(4.0, 0.3 * LARGEST_WEIGHT[bits] * fan_in**0.5))

    def head(self, reading: Lif | OrPool, classes: int, flatten: bool) -> Head:
        features = reading.shape.size if flatten else reading.shape.channels
        bits = 4 if flatten and self.random.random() < 0.5 else 8
        weight = self.random.integers(-7, 8, (classes, features)).astype(np.int8)
        head = Head(
            "head",
            reading.name,
            classes,
            "flatten" if flatten else "count",
            weight,
            np.zeros(classes, np.int32),
            4,
        )
        return head if bits == 8 else replace(head, bits=bits, code_shift=np.zeros(classes, np.uint8))

    def _fires(self, node: Lif, spread: float) -> Lif:
        random, channels = self.random, node.shape.channels
        form = str(random.choice(["none", "subtract", "shift"]))
        # Some layers fire seldom, others nearly always.
        middle = float(random.uniform(-0.6, 1.2)) * spread
        return replace(
            node,
            leak=Leak(form, 2),  # type: ignore[arg-type]
            reset=str(random.choice(["subtract", "zero"])),  # type: ignore[arg-type]
            bias=np.round(random.normal(-middle, spread / 3, channels)).astype(np.int16),
            threshold=random.integers(1, max(2, int(spread)), channels).astype(np.int16),
            exponent=np.full(channels, 4, np.uint8),
        )

    def _weight(self, outputs: int, inputs: int, kernel: int, bits: int) -> NDArray[np.int8]:
        most = LARGEST_WEIGHT[bits]
        return self.random.integers(-most, most + 1, (outputs, inputs, kernel, kernel)).astype(np.int8)
