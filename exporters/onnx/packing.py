"""Weights of 4 and 2 bits in ONNX: INT4 constants from opset 21 on, else uint8 ones that operators take apart.

ONNX Runtime evaluates what depends on constants alone when it opens the file, so an inference finds float32 weights
as it does behind int8 ones. A DequantizeLinear would run in every inference, since ONNX Runtime keeps it for integer
kernels (seen in 1.23.2 and 1.32), so Cast and Mul make float32 of INT4. Convolutions and heads too small to gain
from it keep int8 (``cost.onnx_weights``).

All steps are exact: a byte holds codes c, with 2**(bits - 1) added to each, and every value on the way is a multiple
of 2**-8 below 2**8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from exporters.codes import packed
from exporters.onnx.builder import Builder
from toolchain.cost.onnx_weights import int4, packs
from toolchain.graph.codes import codes
from toolchain.graph.nodes import Array, Head, Lif, as_int


def stored_weight(
    builder: Builder, node: Lif | Head, name: str, weight: Array, has_int4: bool = False
) -> str:
    """Store ``weight`` [out, in, ...] of ``node`` under ``name``, and return its float32 values.

    ``has_int4``: whether the file may have INT4.
    """
    out, inputs = weight.shape[:2]
    if has_int4 and int4(weight.size, out, inputs, node.bits):
        return _from_int4(builder, node, name, weight)
    bits, held = node.bits, 8 // node.bits
    if not packs(weight.size, inputs, bits):
        return builder.weight(name, weight)
    assert node.code_shift is not None
    # Each byte holds inputs that are ``inputs`` / ``held`` apart, so that the codes of one place are one block.
    by_place = codes(weight, node.code_shift).reshape(out, held, inputs // held, *weight.shape[2:])
    stored = builder.constant(name, packed(np.moveaxis(by_place, 1, 0), bits))
    inverse = builder.constant(f"{node.name}.inverse", np.array(2.0**-bits, np.float32))
    rest = builder.op("Cast", [stored], f"{name}.bytes", to=TensorProto.FLOAT)
    places = []
    for place in range(held - 1):
        scaled = builder.op("Mul", [rest, inverse], f"{name}.{place}.scaled")
        rest = builder.op("Floor", [scaled], f"{name}.{place}.rest")
        places.append(builder.op("Sub", [scaled, rest], f"{name}.{place}.code"))
    places.append(builder.op("Mul", [rest, inverse], f"{name}.{held - 1}.code"))
    joined = builder.op("Concat", places, f"{name}.codes", axis=1)
    # Codes are now (c + 2**(bits - 1)) / 2**bits.
    half = builder.constant(f"{node.name}.half", np.array(0.5, np.float32))
    centred = builder.op("Sub", [joined, half], f"{name}.centred")
    step = builder.constant(f"{node.name}.step", _powers(node, bits, weight))
    return builder.op("Mul", [centred, step], f"{name}.float")


def _from_int4(builder: Builder, node: Lif | Head, name: str, weight: Array) -> str:
    assert node.code_shift is not None
    stored = builder.int4(name, codes(weight, node.code_shift))
    values = builder.op("Cast", [stored], f"{name}.codes", to=TensorProto.FLOAT)
    unit = builder.constant(f"{node.name}.unit", _powers(node, 0, weight))
    return builder.op("Mul", [values, unit], f"{name}.float")


def _powers(node: Lif | Head, more: int, weight: Array) -> NDArray[np.float32]:
    """2**(shift + more) of each output, float32 [out, 1, ...] to multiply codes of ``weight`` with."""
    exponent = (as_int(node.code_shift, f"{node.name}.code_shift") + more).astype(np.int32)
    powers: NDArray[np.float32] = np.ldexp(np.float32(1), exponent).astype(np.float32)
    return powers.reshape(-1, *[1] * (weight.ndim - 1))
