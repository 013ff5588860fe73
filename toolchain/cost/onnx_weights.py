"""Bytes of a convolution's or head's weights in the ONNX file for processors, with what makes float32 of them.

Weights of 4 and 2 bits are stored in as little as a file can hold and its operators cost:

- in 4 bits as INT4, which opset 21 brought: two codes a byte, whatever the number of weights;
- in ``bits`` bits within uint8, by operators of opset 13 that take bytes apart and cost up to 3 KB.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toolchain.cost.amounts import Amount, choose, indicator
from toolchain.cost.onnx_network import FLOAT_BYTES
from toolchain.cost.onnx_parts import attribute, operator, tensor, varint

MIN_PACKED_WEIGHTS = 4096
"""Fewest weights that are taken apart by operators."""

MIN_INT4_WEIGHTS, INT4_WEIGHTS_PER_OUTPUT = 512, 8
"""Fewest weights that INT4 makes smaller: an operator more, and a float32 step for each output."""

TO = attribute("to")


def has_int4(opset: int, ir_version: int) -> bool:
    """Whether a file of this operator set and version of the format may have INT4."""
    return opset >= 21 and ir_version >= 10


def packs(weights: Amount, inputs: Amount, bits: Amount) -> Amount:
    """1 if operators take so many weights, of so many inputs, from bytes of several codes, 0 if not.

    They do if that takes less, and the inputs fill whole bytes.
    """
    return indicator((bits < 8) & (weights >= MIN_PACKED_WEIGHTS) & (inputs * bits % 8 == 0))


def int4(weights: Amount, outputs: Amount, inputs: Amount, bits: Amount) -> Amount:
    """1 if INT4 holds weights of so many ``bits``, 0 if they are in int8, or in 2 bits, which is less."""
    worth = weights >= MIN_INT4_WEIGHTS + INT4_WEIGHTS_PER_OUTPUT * outputs
    return indicator((bits == 4) & worth) + indicator((bits == 2) & worth) * (
        1 - packs(weights, inputs, bits)
    )


class Stored(NamedTuple):
    """``parts``: bytes of weights and of the operators behind them. ``packed`` and ``nibbles``: 1 or 0, whether they
    are taken apart by operators, or INT4, and so need constants of their node."""

    parts: Amount
    packed: Amount
    nibbles: Amount


def stored(
    name: Amount,
    extents: Amount,
    area: int,
    inputs: Amount,
    outputs: Amount,
    bits: Amount,
    node: Amount,
    has_int4: bool,
) -> Stored:
    """Weights called by a name of this length, of a node called by one of the other; weights are ``bits`` wide.

    ``extents`` are the bytes of those but the inputs'; ``has_int4``: whether the file may have INT4.
    """
    weights = area * inputs * outputs
    nibbles = int4(weights, outputs, inputs, bits) if has_int4 else 0
    packed = packs(weights, inputs, bits) * (1 - nibbles)
    kept = choose(packed > 0, bits, 8)
    held_inputs = inputs * kept // 8
    constant = tensor(name, extents + 1 + varint(held_inputs), weights * kept // 8)
    values = name + len(".float")
    found: Amount = constant + operator("Cast", (name,), values, TO)
    # Weights of 8 bits, which is what most searches are for, are nowhere packed.
    if np.any(packed):
        found = choose(packed > 0, constant + _unpacked(name, values, bits, node), found)
    if has_int4:
        codes = name + len(".codes")
        narrow = (
            tensor(name, extents + 1 + varint(inputs), (weights + 1) // 2)
            + operator("Cast", (name,), codes, TO)
            + operator("Mul", (codes, node + len(".unit")), values)
        )
        found = choose(nibbles > 0, narrow, found)
    return Stored(found, packed, nibbles)


def constants_bytes(
    node: Amount, extents: Amount, outputs: Amount, packed: Amount, nibbles: Amount
) -> Amount:
    """The constants that make float32 of all weights of a node, of which so many are packed and INT4."""
    inverse, half, step = (node + len(text) for text in (".inverse", ".half", ".step"))
    scalars = tensor(inverse, 0, FLOAT_BYTES) + tensor(half, 0, FLOAT_BYTES)
    steps = tensor(step, extents, FLOAT_BYTES * outputs)
    # The units of INT4 are other numbers under another name, of the same length.
    return indicator(packed > 0) * (scalars + steps) + indicator(nibbles > 0) * steps


def _unpacked(name: Amount, values: Amount, bits: Amount, node: Amount) -> Amount:
    """Operators that take codes from bytes."""
    held = 8 // bits
    inverse, half, step = (node + len(text) for text in (".inverse", ".half", ".step"))
    scaled, rest, code = (name + len(text) for text in (".0.scaled", ".0.rest", ".0.code"))
    first, joined, centred = name + len(".bytes"), name + len(".codes"), name + len(".centred")
    places = held * (2 + code)
    # The first place reads the bytes, the others what is left of them.
    return (
        operator("Cast", (name,), first, TO)
        + operator("Mul", (first, inverse), scaled)
        + (held - 2) * operator("Mul", (rest, inverse), scaled)
        + (held - 1) * (operator("Floor", (scaled,), rest) + operator("Sub", (scaled, rest), code))
        + operator("Mul", (rest, inverse), code)
        + operator("Concat", (), joined, attribute("axis"), places)
        + places
        + operator("Sub", (joined, half), centred)
        + operator("Mul", (centred, step), values)
    )
