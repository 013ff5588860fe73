"""The TFLite operators that this exporter emits: version, options, and what comes out of which inputs.

The builder asks here for the shape of each operator's output, and the reader whether a file's operators fit
together: interpreters check only part of that, and crash on some files where it is not so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Extents = tuple[int, ...]
Options = Mapping[str, Any]
SAME, VALID = 0, 1
"""``Padding`` in the schema."""

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9}
"""Element type -> its number in the schema's ``TensorType``."""

_CASTS = {("uint8", "float32"), ("bool", "float32"), ("float32", "int32")}


class Tensor(NamedTuple):
    """Shape, element type (a key of ``TYPES``) and, for a constant, the values."""

    shape: Extents
    dtype: str
    values: NDArray[Any] | None = None


class Misfit(ValueError):
    """Parts of a model do not fit together; the message says what the model does."""


@dataclass(frozen=True)
class Operator:
    """``table`` holds the options, of which ``options`` are set; ``version`` is the oldest that has our types."""

    infer: Callable[[Sequence[Tensor], Options], Tensor]
    table: str | None = None
    options: frozenset[str] = frozenset()
    version: int = 1


def infer(
    kind: str,
    inputs: Sequence[Tensor],
    options: Options,
    operators: Mapping[str, Operator] | None = None,
) -> Tensor:
    """The output of one of ``operators``, or of ``OPERATORS``; raises ``Misfit`` if inputs or options do not fit."""
    operator = (OPERATORS if operators is None else operators)[kind]
    try:
        need(set(options) == operator.options)
        return operator.infer(inputs, options)
    except ValueError as error:
        found = ", ".join(f"{tensor.dtype} {list(tensor.shape)}" for tensor in inputs)
        raise Misfit(f"has a {kind} of {found} with {dict(options)}") from error


def _arithmetic(inputs: Sequence[Tensor], options: Options) -> Tensor:
    left, right = _floats(inputs)
    return Tensor(np.broadcast_shapes(left, right), "float32")


def _comparison(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return _arithmetic(inputs, options)._replace(dtype="bool")


def _floor(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (shape,) = _floats(inputs)
    return Tensor(shape, "float32")


def _cast(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = inputs
    target = next((after for before, after in _CASTS if TYPES[after] == options["outDataType"]), "")
    need((source.dtype, target) in _CASTS and TYPES[source.dtype] == options["inDataType"])
    return Tensor(source.shape, target)


def _dequantize(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = inputs
    need(source.dtype == "int8" and source.values is not None)
    return Tensor(source.shape, "float32")


def _convolution(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, (out, *kernel, into), bias = _floats(inputs)
    need(len(source) == 4 and into == source[3] and bias == (out,) and kernel in ([1, 1], [3, 3]))
    return Tensor((source[0], *windows(source, kernel[0], options), out), "float32")


def _depthwise(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, kernel, bias = _floats(inputs)
    need(len(source) == 4 and kernel == (1, 3, 3, source[3]) and bias == (source[3],))
    need(options["depthMultiplier"] == 1)
    return Tensor((source[0], *windows(source, 3, options), source[3]), "float32")


def _max_pool(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = _floats(inputs)
    need(len(source) == 4 and options["filterHeight"] == options["filterWidth"] == 2)
    return Tensor((source[0], *windows(source, 2, options), source[3]), "float32")


def _pad(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = _floats(inputs[:1])
    margins = constant(inputs[1:], (4, 2)).tolist()
    need(len(source) == 4 and margins == [[0, 0], [1, 1], [1, 1], [0, 0]])
    return Tensor((source[0], source[1] + 2, source[2] + 2, source[3]), "float32")


def _reshape(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = _floats(inputs[:1])
    wanted = constant(inputs[1:], (2,)).tolist()
    features = int(np.prod(source[1:]))
    need(wanted == [-1, features] == list(options["newShape"]))
    return Tensor((source[0], features), "float32")


def _sum(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = _floats(inputs[:1])
    axes = constant(inputs[1:], (2,)).tolist()
    need(len(source) == 4 and axes == [1, 2] and not options["keepDims"])
    return Tensor((source[0], source[3]), "float32")


def _fully_connected(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, (out, into), bias = _floats(inputs)
    need(len(source) == 2 and into == source[1] and bias == (out,))
    return Tensor((source[0], out), "float32")


def _gather(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = _floats(inputs[:1])
    (index,) = constant(inputs[1:], (1,)).tolist()
    need(len(source) == 4 and 0 <= index < source[0])
    return Tensor((1, *source[1:]), "float32")


def windows(source: Extents, kernel: int, options: Options) -> Extents:
    """Height and width after sliding a window; a whole map must have room for at least one."""
    stride = options["strideH"]
    need(stride == options["strideW"] and stride in (1, 2) and options["padding"] in (SAME, VALID))
    lost = 0 if options["padding"] == SAME else kernel - 1
    need(min(source[1:3]) > lost)
    return tuple((side - lost + stride - 1) // stride for side in source[1:3])


def _floats(inputs: Sequence[Tensor]) -> list[Extents]:
    need(all(tensor.dtype == "float32" for tensor in inputs))
    return [tensor.shape for tensor in inputs]


def constant(inputs: Sequence[Tensor], shape: Extents) -> NDArray[Any]:
    (tensor,) = inputs
    if tensor.values is None or tensor.dtype != "int32" or tensor.shape != shape:
        raise ValueError("no constant of this shape")
    return tensor.values


def need(condition: bool) -> None:
    if not condition:
        raise ValueError("does not fit")


WINDOW = frozenset({"padding", "strideH", "strideW"})

OPERATORS: dict[str, Operator] = {
    "ADD": Operator(_arithmetic, "AddOptions"),
    "CAST": Operator(_cast, "CastOptions", frozenset({"inDataType", "outDataType"})),
    "CONV_2D": Operator(_convolution, "Conv2DOptions", WINDOW),
    "DEPTHWISE_CONV_2D": Operator(_depthwise, "DepthwiseConv2DOptions", WINDOW | {"depthMultiplier"}),
    "DEQUANTIZE": Operator(_dequantize, "DequantizeOptions", version=2),
    "FLOOR": Operator(_floor),
    "FULLY_CONNECTED": Operator(_fully_connected, "FullyConnectedOptions"),
    "GATHER": Operator(_gather, "GatherOptions"),
    "GREATER_EQUAL": Operator(_comparison, "GreaterEqualOptions"),
    "MAX_POOL_2D": Operator(_max_pool, "Pool2DOptions", WINDOW | {"filterHeight", "filterWidth"}),
    "MUL": Operator(_arithmetic, "MulOptions"),
    "PAD": Operator(_pad, "PadOptions"),
    "RESHAPE": Operator(_reshape, "ReshapeOptions", frozenset({"newShape"})),
    "SUB": Operator(_arithmetic, "SubOptions"),
    "SUM": Operator(_sum, "ReducerOptions", frozenset({"keepDims"})),
}
