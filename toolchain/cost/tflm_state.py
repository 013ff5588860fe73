"""The state of a lowering to a ``Program``, and the scales of its maps. All of it is exact integers.

Maps are [1, height, width, channels]. Scales are nominal, powers of two, chosen so that every operator adds,
multiplies or shifts integers:

- Spikes, currents and potentials have the scale 8. So a fused RELU6 clamps an int16 result to 0 and 1 (6 / 8 rounds
  to 1), and a spike is one operator: SUB(u, theta - 1) with RELU6.
- int16x8 convolutions have int64 accumulators and round half up, floor(a * 2**-r + 1/2): with r = 0 their output is
  the sum, with a channel's own r the pixel edge's rounding, and with the right bias a floor.
- Potentials after a reset to zero, products of a potential and a spike, have the scale 64.

Spikes that wait for a later part of the program take a byte each; convolutions read them as int16.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.cost.tflm_program import Constant, Program, Value
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Lif,
    Shape,
)

UNIT, PRODUCT = 8.0, 64.0
"""Nominal scales of spikes, currents and potentials, and of potentials after a reset to zero."""

SAME, VALID = 0, 1
"""``Padding`` in the TFLite schema."""
NO_ACTIVATION, RELU6 = 0, 3
"""``ActivationFunctionType`` in the TFLite schema."""
NUMBERS = {"int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}
"""``TensorType`` in the TFLite schema."""

IMAGE, SCORES, COUNTS, POTENTIAL, NEXT = "image", "scores", "spike_counts", ".potential", ".next"
"""Names of inputs and outputs, as in the ONNX step form."""


@dataclass
class Lowering:
    """What is known while time steps are emitted.

    ``spikes`` of the running step, and those that wait as bytes (``stored``, by node and step). ``potentials`` are
    those after the last reset. ``again`` computes the currents of pixels anew in each step, instead of keeping them.
    """

    graph: Graph
    again: bool
    stepwise: bool = False
    program: Program = field(default_factory=Program)
    image: int = -1
    step: int = 0
    spikes: dict[str, int] = field(default_factory=dict)
    stored: dict[tuple[str, int], int] = field(default_factory=dict)
    potentials: dict[str, int] = field(default_factory=dict)
    counts: int | None = None
    pixels: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)

    def channels(self, role: str, node: Lif, dtype: str = "int16", scale: float = UNIT) -> int:
        """A constant of a number for each channel of ``node``."""
        value = Value((node.shape.channels,), dtype, scale=scale)
        return self.program.constant(Constant(role, node.name), value)

    def arithmetic(
        self, kind: str, one: int, other: int, like: Shape, scale: float = UNIT, relu: int = 0
    ) -> int:
        """ADD, SUB or MUL of maps, or of a map and a number a channel; the first map may be overwritten."""
        over = next(each for each in (one, other) if self.program.values[each].constant is None)
        output = Value(map_of(like), "int16", scale=scale)
        return self.program.op(kind, [one, other], output, over, fusedActivationFunction=relu)

    def cast(self, value: int, dtype: str, scales: int = 1) -> int:
        """Another type for the same integers."""
        before = self.program.values[value]
        return self.program.op(
            "CAST",
            [value],
            Value(before.shape, dtype, scales, UNIT),
            inDataType=NUMBERS[before.dtype],
            outDataType=NUMBERS[dtype],
        )


def map_of(shape: Shape) -> tuple[int, int, int, int]:
    """Extents of a map's tensor."""
    return (1, shape.height, shape.width, shape.channels)


def spikes_of(state: Lowering, name: str) -> int:
    """This step's spikes of a node as int16."""
    if name not in state.spikes:
        state.spikes[name] = state.cast(state.stored[name, state.step], "int16")
    return state.spikes[name]


def depthwise(state: Lowering, inputs: list[int], shape: Shape) -> int:
    """A depthwise convolution with stride 1 of maps of ``shape``: source, kernel and, if there is one, bias."""
    return state.program.op(
        "DEPTHWISE_CONV_2D",
        inputs,
        Value(map_of(shape), "int16", scale=UNIT),
        padding=SAME,
        strideH=1,
        strideW=1,
        depthMultiplier=1,
    )


def call(state: Lowering, value: int, name: str) -> None:
    """Give a value the name under which users find its tensor."""
    state.program.values[value] = state.program.values[value]._replace(name=name)
