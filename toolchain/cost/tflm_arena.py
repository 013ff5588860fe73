"""Where the tensors of a ``Program`` lie in TensorFlow Lite Micro's arena.

TFLM takes a plan that is made before (metadata ``OfflineMemoryAllocation``, documented in its memory_management.md)
and lets tensors overlap if it says so: therefore results of operators that go element by element lie where their
input lay, which TFLM's own planner never does.

At the arena's other end, its tail, TFLM keeps its books. What they take was measured in tflite-micro
0.dev20261023182759 on x86-64, operator by operator, and is within some hundred bytes of what any file took there; on
a microcontroller, where an address has four bytes, it is less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.amounts import ceiling
from toolchain.cost.tflm_program import Program

ALIGNMENT_BYTES = 16
"""``MicroArenaBufferAlignment``."""

Integers = NDArray[np.int64]

_BASE, _TENSOR, _END, _CHANNEL = 505, 24, 102, 4
"""Bytes of the tail for the interpreter, for each tensor, input or output, and twice for each channel of a convolution:
its multiplier and its shift."""

_OPERATOR = 64
_OPERATORS = {
    "ADD": 72, "CAST": 8, "CONCATENATION": 88, "CONV_2D": 108, "DEPTHWISE_CONV_2D": 108, "FULLY_CONNECTED": 112,
    "GATHER": 40, "MAX_POOL_2D": 72, "MUL": 52, "PAD": 64, "QUANTIZE": 32, "RESHAPE": 36, "SUB": 72, "SUM": 72,
}  # fmt: skip
"""Bytes of the tail for an operator of any kind, and more for each kind."""

_PLANNING, _PLANNED_TENSOR, _PLANNED_BUFFER, _PLANNED_SCRATCH = 220, 32, 40, 268
"""Bytes that TFLM takes besides while it reads the plan, when it has no tensors of inputs and outputs yet: for each
tensor, each that is no constant, and each operator that asks for memory to work in (SUM)."""


@dataclass(frozen=True)
class Buffers:
    """Ranges of the arena's head. ``of`` says which of them a tensor has; they are used from operator ``first`` to
    ``last``, the number of an operator."""

    of: dict[int, int]
    sizes: Integers
    first: Integers
    last: Integers

    @property
    def live_bytes(self) -> int:
        """Most bytes that are used by one operator: what no placement can undercut."""
        change = np.zeros(int(self.last.max(initial=0)) + 2, np.int64)
        np.add.at(change, self.first, self.sizes)
        np.add.at(change, self.last + 1, -self.sizes)
        return int(change.cumsum().max())


def arena_bytes(program: Program, head_bytes: int) -> int:
    """The smallest arena for a program whose tensors take ``head_bytes``."""
    tail, values = tail_bytes(program), program.values
    scratch = sum(operation.kind == "SUM" for operation in program.operations)
    planning = (
        tail
        + _PLANNING
        - _END * _ends(program)
        + _PLANNED_TENSOR * len(values)
        + _PLANNED_BUFFER * sum(value.constant is None for value in values)
        + _PLANNED_SCRATCH * scratch
    )
    return ceiling(max(head_bytes + tail, planning), ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def tail_bytes(program: Program) -> int:
    """What TFLM keeps besides the tensors."""
    total = _BASE + _TENSOR * len(program.values) + _END * _ends(program)
    for operation in program.operations:
        total += _OPERATOR + _OPERATORS[operation.kind]
        if operation.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            channels = program.values[operation.output].shape[-1]
            total += 2 * ceiling(_CHANNEL * channels, ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    return total


def _ends(program: Program) -> int:
    return len(program.inputs) + len(program.outputs)


def buffers(program: Program) -> Buffers:
    """The buffers of all tensors but the constants."""
    last = program.last_uses()
    of: dict[int, int] = {}
    sizes: list[int] = []
    spans: list[list[int]] = []

    def new(value: int, step: int) -> None:
        of[value] = len(sizes)
        sizes.append(ceiling(program.values[value].size_bytes, ALIGNMENT_BYTES) * ALIGNMENT_BYTES)
        spans.append([step, last[value]])

    for value in program.inputs:
        new(value, 0)
    for step, operation in enumerate(program.operations):
        value = operation.output
        shared = program.places.get(value)
        if shared is None and operation.over is not None and last[operation.over] == step:
            shared = operation.over
        if shared is None:
            new(value, step)
        else:
            of[value] = of[shared]
            spans[of[shared]][1] = max(spans[of[shared]][1], last[value])
    ends = np.array(spans, np.int64).reshape(-1, 2)
    return Buffers(of, np.array(sizes, np.int64), ends[:, 0], ends[:, 1])


def place(found: Buffers) -> Integers:
    """An offset for each buffer such that no two that are used at the same time share a byte, in little space."""
    best, least = _first_fit(found, np.lexsort((found.first, -found.sizes))), found.live_bytes
    if height(found, best) > least:
        spans = found.last - found.first
        orders = (
            np.lexsort((found.first, -found.sizes * (1 + spans))),
            np.lexsort((-found.sizes, found.first)),
        )
        best = min(
            best, *(_first_fit(found, order) for order in orders), key=lambda each: height(found, each)
        )
    return best


def height(found: Buffers, offsets: Integers) -> int:
    """Bytes of the head that these offsets take."""
    return int((offsets + found.sizes).max(initial=0))


def _first_fit(found: Buffers, order: Integers) -> Integers:
    """Give each buffer, in this order, the lowest gap among those that are placed and meet it."""
    offsets = np.zeros(len(order), np.int64)
    placed = np.zeros(len(order), np.int64)
    for count, each in enumerate(order):
        others = placed[:count]
        meets = (found.first[others] <= found.last[each]) & (found.last[others] >= found.first[each])
        beside = others[meets]
        beside = beside[np.argsort(offsets[beside], kind="stable")]
        end = 0
        for start, behind in zip(offsets[beside], (offsets + found.sizes)[beside], strict=True):
            if end + found.sizes[each] <= start:
                break
            end = max(end, int(behind))
        offsets[each], placed[count] = end, each
    return offsets
