"""Reading the integer TFLite artifacts, which may be hostile, as ``exporters.tflite.read`` does the float ones.

TensorFlow Lite Micro (TFLM) trusts more of a file than other interpreters: it aborts on scales that it does not
expect, and writes wherever the file's plan of the arena says. So these are held to what is written here as well.
"""

from __future__ import annotations

from math import frexp
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from exporters.tflite.micro import PLAN, PLAN_VERSION
from exporters.tflite.micro_operators import MICRO_OPERATORS
from exporters.tflite.operators import Tensor
from exporters.tflite.read import checked, followed, metadata_buffer, need, stated
from toolchain.cost.tflm_arena import ALIGNMENT_BYTES
from toolchain.cost.tflm_state import PRODUCT, UNIT
from toolchain.errors import InputError
from toolchain.graph.preprocessing import Preprocessing

MAX_ENDS = 10_000
"""Most inputs of the step form: an image and a state for each node."""

MAX_OFFSET_BYTES = 1 << 26
MAX_EXPONENT = 32
"""Scales are 2**-32 to 2**32."""

_ACCUMULATING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_MOST_LEFT, _MOST_RIGHT = 2.0**6, 2.0**-30
"""Multipliers that TFLM's int64 arithmetic has room for."""


class Scales(NamedTuple):
    """What the integers of a tensor stand for; without scales they are themselves."""

    scales: tuple[float, ...]
    zero_point: int
    axis: int


class Micro(NamedTuple):
    """An artifact: its ``facts``, the ``shape`` [C, H, W] of its images, and how many ``states`` it takes and gives."""

    facts: dict[str, Any]
    shape: tuple[int, int, int]
    states: int


def load(path: Path) -> Micro:
    """What ``model_micro.tflite`` or ``model_micro_step.tflite`` says.

    Raises ``InputError`` if missing, too large, broken or foreign, ``ToolMissingError`` without the schema.
    """
    _, model = checked(path, MICRO_OPERATORS, MAX_ENDS, _require_own)
    facts = stated(model, str(path))
    graph = model.subgraphs[0]
    frames = Preprocessing.from_dict(facts["preprocessing"]).frames if facts["form"] == "unrolled" else 1
    images, height, width, channels = map(int, graph.tensors[graph.inputs[0]].shape)
    if images != frames:
        raise InputError(f"{path} takes other frames than it says; export it again")
    if (len(graph.inputs) == 1) != (facts["form"] == "unrolled") or len(graph.inputs) != len(graph.outputs):
        raise InputError(f"{path} is of another form than it says; export it again")
    return Micro(facts, (channels, height, width), len(graph.inputs) - 1)


def facts(path: Path) -> dict[str, Any]:
    """The facts that an artifact states; raises as ``load`` does."""
    return load(path).facts


def _require_own(model: Any, tables: Any) -> None:
    graph = model.subgraphs[0]
    scales = [_scales(tensor) for tensor in graph.tensors]
    tensors: list[Tensor] = []
    for kind, inputs, output, found in followed(model, tables, MICRO_OPERATORS):
        tensors = found
        given = [scales[index] for index in inputs]
        need(
            _fits(kind, given, scales[output], [tensors[each] for each in inputs]),
            f"has a {kind} of other scales",
        )
    for one, next_one in zip(graph.inputs[1:], graph.outputs[1:], strict=False):
        same = tensors[one] == tensors[next_one] and scales[one] == scales[next_one]
        need(same and tensors[one].dtype == "int16", "has states that change their form")
    _require_plan(model, tensors)


def _scales(tensor: Any) -> Scales:
    stated = tensor.quantization
    if stated is None:
        return Scales((), 0, 0)
    need(
        stated.scale is not None
        and stated.zeroPoint is not None
        and len(stated.zeroPoint) == len(stated.scale)
        and len(set(map(int, stated.zeroPoint))) == 1
        and stated.min is None
        and stated.max is None
        and not stated.detailsType,
        "has tensors with other scales",
    )
    scales = tuple(map(float, stated.scale))
    parts = [frexp(scale) for scale in scales]
    need(
        bool(parts) and all(half == 0.5 and abs(power) <= MAX_EXPONENT for half, power in parts),
        "has scales that are no powers of two",
    )
    return Scales(scales, int(stated.zeroPoint[0]), int(stated.quantizedDimension))


def _fits(kind: str, inputs: list[Scales], output: Scales, tensors: list[Tensor]) -> bool:
    """Whether an operator's integers are then added, multiplied or shifted, and nothing else."""
    if tensors[0].dtype == "int32":
        return not any(each.scales for each in (*inputs, output))
    plain = [each.scales for each in (*inputs, output) if each.zero_point == 0 and len(each.scales) == 1]
    if kind in ("ADD", "SUB"):
        return plain == [(UNIT,)] * 3
    if kind == "MUL":
        return len(plain) == 3 and plain[0][0] * plain[1][0] == plain[2][0] and plain[2][0] in (UNIT, PRODUCT)
    if kind == "QUANTIZE":
        byte = {"uint8": 0, "int8": -128}[tensors[0].dtype]
        after = -128 if tensors[0].dtype == "uint8" else 0
        return inputs[0] == Scales((1.0,), byte, 0) and output == Scales((1.0,), after, 0)
    if kind in _ACCUMULATING:
        source, weight, *bias = inputs
        axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
        channels = tensors[1].shape[axis]
        if len(plain) < 2 or source.zero_point or weight.zero_point or len(source.scales) != 1:
            return False
        ratios = [source.scales[0] * each / output.scales[0] for each in weight.scales]
        return (
            weight.axis == axis
            and len(weight.scales) in (1, channels)
            and all(_MOST_RIGHT <= ratio <= _MOST_LEFT for ratio in ratios)
            and all(each.scales in ((), source.scales) for each in bias)
        )
    if kind in ("CAST", "RESHAPE", "CONCATENATION"):
        return all(each.zero_point == 0 and len(each.scales) < 2 for each in (*inputs, output))
    return len(output.scales) == 1 and output == inputs[0]


def _require_plan(model: Any, tensors: list[Tensor]) -> None:
    """Every tensor but the constants has its place in the arena."""
    names = [entry.name for entry in model.metadata or []]
    need(len(set(names)) == len(names) == 2, "has other metadata")
    content = metadata_buffer(model, PLAN)
    need(content is not None and len(content) == 4 * (3 + len(tensors)), "has no plan of its arena")
    plan = np.frombuffer(content or b"", np.int32).tolist()
    need(plan[:3] == [PLAN_VERSION, 1, len(tensors)], "has another plan of its arena")
    for tensor, offset in zip(tensors, plan[3:], strict=True):
        if tensor.values is not None:
            need(offset == -1, "plans a place for a constant")
        else:
            need(
                0 <= offset <= MAX_OFFSET_BYTES and offset % ALIGNMENT_BYTES == 0,
                "plans places outside its arena",
            )
