"""Two operations that numba's loops do not reach: 64 neurons in one step, and counting bits.

They are written as LLVM vector instructions, which LLVM lowers to whatever the CPU has (AVX-512, AVX2, NEON).
Left to the loop vectorizer the same step costs two to five times as much, because numba widens small integers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from toolchain.search.scoring.fixed_point import MAX_POTENTIAL, THRESHOLD

LANES = 64

_LANE = ir.IntType(16)
_VECTOR = ir.VectorType(_LANE, LANES)


def _step(
    typing: Any,
    tables: Any,
    places: Any,
    potentials: Any,
    at: Any,
    shift: Any,
    keep: Any,
    sign: Any,
    remain: Any,
) -> Any:
    """Integrate 64 neurons for one time step; returns the uint64 of which fired, the first in the lowest bit.

    Currents are the sum of ``tables`` (int16, one-dimensional, contiguous) at the offsets in the tuple ``places``;
    ``potentials`` (int16, likewise) at ``at`` are updated. The rest is ``fixed_point.Dynamics``.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def pointer(array: int, offset: Any) -> Any:
            data = context.make_array(signature.args[array])(context, builder, values[array]).data
            return builder.bitcast(builder.gep(data, [offset]), _VECTOR.as_pointer())

        def everywhere(index: int) -> Any:
            single = builder.insert_element(
                _undefined(_VECTOR), values[index], ir.Constant(ir.IntType(32), 0)
            )
            first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            return builder.shuffle_vector(single, _undefined(_VECTOR), first)

        def constant(value: int) -> Any:
            return ir.Constant(_VECTOR, [value] * LANES)

        state = pointer(2, values[3])
        old = builder.load(state, align=2)
        leaked = builder.mul(builder.ashr(old, everywhere(4)), everywhere(6))
        new = builder.add(builder.mul(old, everywhere(5)), leaked)
        current = constant(0)
        for index in range(len(signature.args[1])):
            place = builder.extract_value(values[1], index)
            current = builder.add(current, builder.load(pointer(0, place), align=2))
        new = builder.add(new, current)
        low, high = constant(-MAX_POTENTIAL), constant(MAX_POTENTIAL)
        new = builder.select(builder.icmp_signed("<", new, low), low, new)
        new = builder.select(builder.icmp_signed(">", new, high), high, new)
        fired = builder.icmp_signed(">=", new, constant(THRESHOLD))
        reset = builder.mul(builder.sub(new, constant(THRESHOLD)), everywhere(7))
        builder.store(builder.select(fired, reset, new), state, align=2)
        return builder.bitcast(fired, ir.IntType(LANES))

    small = types.int16
    arguments = (tables, places, potentials, types.intp, small, small, small, small)
    return types.uint64(*arguments), generate


def _count_bits(typing: Any, word: Any) -> Any:
    """Number of ones in a uint64."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.uint64(types.uint64), generate


step: Any = intrinsic(_step)
count_bits: Any = intrinsic(_count_bits)


def _undefined(kind: Any) -> Any:
    return ir.Constant(kind, ir.Undefined)
