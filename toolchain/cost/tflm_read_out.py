"""From spike counts to scores, which int16 does not hold: as two digits of base 2**9, joined in int32."""

from __future__ import annotations

from toolchain.cost.tflm_program import Constant, Value
from toolchain.cost.tflm_state import NO_ACTIVATION, SCORES, UNIT, Lowering, call

DIGIT_BITS = 9
"""A score is high * 2**9 + low: its magnitude is under 2**24, so that both digits fit int16."""
DIGIT_COLUMNS = 4
"""Weights of -128 that take 2**9 * high from the score."""
CLASS_GROUP = 16
"""Classes that share a matrix; each has columns for all of its group's high digits."""


def read_out(state: Lowering) -> None:
    """Counts -> ``scores`` int32 [1, classes], which int16 does not hold.

    high = round(score / 2**9) and low = score - 2**9 * high come from the same weights, whose last columns are -128:
    four times 0 is read there for the one, and four times high for the other.
    """
    graph, program, counts = state.graph, state.program, state.counts
    assert counts is not None
    features = graph.head_features()
    if len(program.values[counts].shape) > 2:
        shape = program.constant(Constant("features"), Value((2,), "int32", scales=0))
        counts = program.op(
            "RESHAPE",
            [counts, shape],
            Value((1, features), "int16", scale=UNIT),
            counts,
            newShape=[1, features],
        )
    parts = []
    for start in range(0, graph.head.classes, CLASS_GROUP):
        parts.append(_digits(state, counts, start, min(CLASS_GROUP, graph.head.classes - start)))
    scores = parts[0]
    if len(parts) > 1:
        output = Value((1, graph.head.classes), "int32", scales=0)
        scores = program.op("CONCATENATION", parts, output, axis=1)
    call(state, scores, SCORES)
    program.outputs.insert(0, scores)


def _digits(state: Lowering, counts: int, start: int, classes: int) -> int:
    program, detail = state.program, (start, classes)
    name, more = state.graph.head.name, DIGIT_COLUMNS * classes
    width = program.values[counts].shape[1] + more
    both = Value((1, width), "int16", scale=UNIT)
    margins = program.constant(Constant("digit_margins", detail=(more,)), Value((2, 2), "int32", scales=0))
    weight = program.constant(Constant("head_weight", name, detail=detail), Value((classes, width), "int8"))
    bias = program.constant(
        Constant("head_bias", name, detail=detail), Value((classes,), "int64", scale=UNIT)
    )
    first = program.op("PAD", [counts, margins], both)
    digit = Value((1, classes), "int16", scale=UNIT * 2**DIGIT_BITS)
    high = program.op("FULLY_CONNECTED", [first, weight, bias], digit)
    second = program.op("CONCATENATION", [counts, *[high] * DIGIT_COLUMNS], both, axis=1)
    low = program.op("FULLY_CONNECTED", [second, weight, bias], digit._replace(scale=UNIT))
    base = program.constant(Constant("base"), Value((1,), "int32", scales=0))
    wide = Value((1, classes), "int32", scales=0)
    upper = program.op(
        "MUL", [state.cast(high, "int32", 0), base], wide, fusedActivationFunction=NO_ACTIVATION
    )
    lower = state.cast(low, "int32", 0)
    return program.op("ADD", [upper, lower], wide, upper, fusedActivationFunction=NO_ACTIVATION)
