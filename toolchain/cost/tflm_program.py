"""A network as operators of TensorFlow Lite Micro (TFLM) over tensors of known shapes; no weights are needed.

The exporter fills in the constants and writes what stands here; the prediction adds up its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

Extents = tuple[int, ...]

ELEMENT_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4, "int64": 8}


class Constant(NamedTuple):
    """What a constant holds: its ``role``, and of which node and edge; None where all nodes share it."""

    role: str
    node: str | None = None
    edge: int | None = None
    detail: tuple[int | str, ...] = ()


class Value(NamedTuple):
    """A tensor. ``scales`` are how many it has: none, one, or one a channel, which is then its axis ``axis``."""

    shape: Extents
    dtype: str
    scales: int = 1
    scale: float = 1.0
    zero_point: int = 0
    axis: int = 0
    constant: Constant | None = None
    name: str = ""

    @property
    def size_bytes(self) -> int:
        """Bytes of its elements."""
        return prod(self.shape) * ELEMENT_BYTES[self.dtype]


class Operation(NamedTuple):
    """An operator. Its output may lie where its input ``over`` lies, if that is not needed any more."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    options: Mapping[str, Any]
    over: int | None = None


@dataclass
class Program:
    """Operators in the order in which they run, and their tensors, which they know by number.

    ``places`` are tensors (a state's next value) that lie where another (the state) does, whatever else there is.
    """

    values: list[Value] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    _constants: dict[Constant, int] = field(default_factory=dict)

    def value(self, value: Value) -> int:
        """Add a tensor."""
        self.values.append(value)
        return len(self.values) - 1

    def input(self, value: Value) -> int:
        """Add an input."""
        self.inputs.append(self.value(value))
        return self.inputs[-1]

    def constant(self, constant: Constant, value: Value) -> int:
        """The tensor of a constant, which is stored once."""
        if constant not in self._constants:
            self._constants[constant] = self.value(value._replace(constant=constant))
        return self._constants[constant]

    def op(
        self, kind: str, inputs: Sequence[int], output: Value, over: int | None = None, **options: Any
    ) -> int:
        """Add an operator and its output, and return that."""
        result = self.value(output)
        self.operations.append(Operation(kind, tuple(inputs), result, options, over))
        return result

    def last_uses(self) -> dict[int, int]:
        """Number of the operator that uses a tensor last; of an output one behind the last operator."""
        last = {value: step for step, op in enumerate(self.operations) for value in (*op.inputs, op.output)}
        return last | dict.fromkeys(self.outputs, len(self.operations))
