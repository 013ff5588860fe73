"""The operators of the integer files for microcontrollers, as ``exporters.tflite.operators`` has the float ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from exporters.tflite.operators import (
    OPERATORS,
    SAME,
    TYPES,
    VALID,
    Operator,
    Options,
    Tensor,
    constant,
    need,
    windows,
)
from toolchain.cost.tflm_read_out import CLASS_GROUP, DIGIT_COLUMNS
from toolchain.cost.tflm_state import NO_ACTIVATION, RELU6

_CASTS = {("int16", "int8"), ("int8", "int16"), ("int16", "int32")}
_QUANTIZATIONS = {("uint8", "int8"), ("int8", "int16")}
_MARGINS = (([0, 0],), ([1, 0], [1, 1]), ([1, 0], [1, 1]), ([0, 0],))


def _arithmetic(inputs: Sequence[Tensor], options: Options) -> Tensor:
    left, right = inputs
    need(left.dtype == right.dtype and options["fusedActivationFunction"] in (NO_ACTIVATION, RELU6))
    need(left.dtype == "int16" or (left.dtype == "int32" and not options["fusedActivationFunction"]))
    if left.shape == right.shape:
        return Tensor(left.shape, left.dtype)
    # A map, or a row of digits, and a number for each channel or for all.
    numbers, values = sorted(inputs, key=lambda each: len(each.shape))
    need(numbers.values is not None and len(numbers.shape) == 1 and len(values.shape) in (2, 4))
    need(numbers.shape[0] in (1, values.shape[-1]))
    return Tensor(values.shape, values.dtype)


def _cast(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = inputs
    target = next((after for before, after in _CASTS if TYPES[after] == options["outDataType"]), "")
    need((source.dtype, target) in _CASTS and TYPES[source.dtype] == options["inDataType"])
    return Tensor(source.shape, target)


def _quantize(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = inputs
    target = next((after for before, after in _QUANTIZATIONS if before == source.dtype), "")
    need(len(source.shape) == 4 and bool(target))
    return Tensor(source.shape, target)


def _concatenation(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (dtype,) = {tensor.dtype for tensor in inputs}
    need(dtype in ("int16", "int32") and options["axis"] == 1)
    need(all(len(tensor.shape) == 2 and tensor.shape[0] == 1 for tensor in inputs))
    return Tensor((1, sum(tensor.shape[1] for tensor in inputs)), dtype)


def _convolution(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, weight, bias = inputs
    out, *kernel, into = weight.shape
    _weighted(source, weight, bias, out)
    need(len(source.shape) == 4 and source.shape[0] == 1 and into == source.shape[3])
    need(kernel in ([1, 1], [3, 3]))
    return Tensor((1, *windows(source.shape, kernel[0], options), out), "int16")


def _depthwise(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, weight, *bias = inputs
    out = source.shape[-1]
    _weighted(source, weight, bias[0] if bias else None, out)
    need(len(source.shape) == 4 and source.shape[0] == 1 and len(bias) < 2)
    need(weight.shape in ((1, 1, 1, out), (1, 3, 3, out)))
    need(options["depthMultiplier"] == 1 and options["padding"] == SAME and options["strideH"] == 1)
    return Tensor((1, *windows(source.shape, weight.shape[1], options), out), "int16")


def _fully_connected(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, weight, bias = inputs
    out, into = weight.shape
    _weighted(source, weight, bias, out)
    need(source.shape == (1, into))
    return Tensor((1, out), "int16")


def _weighted(source: Tensor, weight: Tensor, bias: Tensor | None, out: int) -> None:
    """int16 times constant int8, plus constant int64."""
    need(source.dtype == "int16" and weight.dtype == "int8" and weight.values is not None)
    if bias is not None:
        need(bias.dtype == "int64" and bias.values is not None and bias.shape == (out,))


def _max_pool(inputs: Sequence[Tensor], options: Options) -> Tensor:
    (source,) = inputs
    need(source.dtype in ("int8", "int16") and len(source.shape) == 4 and options["padding"] == VALID)
    need(options["filterHeight"] == options["filterWidth"] == options["strideH"] == 2)
    return Tensor((source.shape[0], *windows(source.shape, 2, options), source.shape[3]), source.dtype)


def _pad(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, margins = inputs
    need(source.dtype in ("int8", "int16") and source.shape[0] == 1)
    if len(source.shape) == 2:
        found = constant([margins], (2, 2)).tolist()
        need(found[0] == [0, 0] and found[1][0] == 0 and 0 < found[1][1] <= DIGIT_COLUMNS * CLASS_GROUP)
    else:
        found = constant([margins], (4, 2)).tolist()
        need(all(each in permitted for each, permitted in zip(found, _MARGINS, strict=True)))
    extents = (side + before + after for side, (before, after) in zip(source.shape, found, strict=True))
    return Tensor(tuple(extents), source.dtype)


def _reshape(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, _ = inputs
    wanted = constant(inputs[1:], (2,)).tolist()
    need(source.dtype == "int16" and source.shape[0] == 1)
    need(wanted == [1, prod(source.shape)] == [int(each) for each in options["newShape"]])
    return Tensor((1, prod(source.shape)), "int16")


def _sum(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, _ = inputs
    axes = constant(inputs[1:], (2,)).tolist()
    need(source.dtype == "int16" and len(source.shape) == 4 and axes == [1, 2] and not options["keepDims"])
    return Tensor((source.shape[0], source.shape[3]), "int16")


def _gather(inputs: Sequence[Tensor], options: Options) -> Tensor:
    source, _ = inputs
    (index,) = constant(inputs[1:], (1,)).tolist()
    need(source.dtype == "int8" and len(source.shape) == 4 and 0 <= index < source.shape[0])
    return Tensor((1, *source.shape[1:]), "int8")


_ACTIVATION = frozenset({"fusedActivationFunction"})

MICRO_OPERATORS: dict[str, Operator] = {
    "ADD": Operator(_arithmetic, "AddOptions", _ACTIVATION),
    "CAST": replace(OPERATORS["CAST"], infer=_cast),
    "CONCATENATION": Operator(_concatenation, "ConcatenationOptions", frozenset({"axis"})),
    "CONV_2D": replace(OPERATORS["CONV_2D"], infer=_convolution),
    "DEPTHWISE_CONV_2D": replace(OPERATORS["DEPTHWISE_CONV_2D"], infer=_depthwise),
    "FULLY_CONNECTED": replace(OPERATORS["FULLY_CONNECTED"], infer=_fully_connected),
    "GATHER": replace(OPERATORS["GATHER"], infer=_gather),
    "MAX_POOL_2D": replace(OPERATORS["MAX_POOL_2D"], infer=_max_pool),
    "MUL": Operator(_arithmetic, "MulOptions", _ACTIVATION),
    "PAD": replace(OPERATORS["PAD"], infer=_pad),
    "QUANTIZE": Operator(_quantize, "QuantizeOptions"),
    "RESHAPE": replace(OPERATORS["RESHAPE"], infer=_reshape),
    "SUB": Operator(_arithmetic, "SubOptions", _ACTIVATION),
    "SUM": replace(OPERATORS["SUM"], infer=_sum),
}
