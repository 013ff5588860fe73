# mypy: allow-untyped-defs
"""Compiled loops over small integers, floats and packed spikes (numba).

Two operations are written as LLVM vector instructions, which LLVM lowers to whatever the CPU has (AVX-512, AVX2,
NEON): integrating 64 neurons, and counting bits. Left to the loop vectorizer the first costs several times as
much, because numba widens small integers and a comparison of 64 neurons is not packed into a word.

All of it is in one file because numba's cache of machine code looks at the age of the file alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from toolchain.network.compiled import compiled
from toolchain.search.scoring.fixed_point import MAX_CURRENT, MAX_POTENTIAL, THRESHOLD

LANES = 64
"""Neurons integrated at once, and bits of a word of spikes."""

_INDEX = ir.IntType(32)
_WORD = ir.IntType(LANES)
_VECTOR = ir.VectorType(ir.IntType(16), LANES)


def _integrate(
    typing: Any, tables: Any, places: Any, stride: Any, bits: Any, at: Any, apart: Any, dynamics: Any
) -> Any:
    """Run 64 neurons from u = 0 through all time steps and write a word of spikes for each.

    Currents are the sum of ``tables`` (int16, contiguous) at the offsets in the tuple ``places``, which move by
    ``stride`` each step; words go to ``bits`` (uint64, contiguous) at ``at``, ``apart`` for each step; a word's
    lowest bit is the first neuron. ``dynamics``: (steps, shift, keep, sign, remain), see ``fixed_point.Dynamics``.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def pointer(array: int, offset: Any, kind: Any) -> Any:
            data = context.make_array(signature.args[array])(context, builder, values[array]).data
            return builder.bitcast(builder.gep(data, [offset]), kind.as_pointer())

        def constant(value: int) -> Any:
            return ir.Constant(_VECTOR, [value] * LANES)

        def everywhere(index: int) -> Any:
            undefined = ir.Constant(_VECTOR, ir.Undefined)
            value = builder.trunc(builder.extract_value(values[6], index), ir.IntType(16))
            single = builder.insert_element(undefined, value, ir.Constant(_INDEX, 0))
            return builder.shuffle_vector(
                single, undefined, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES)
            )

        shift, keep, sign, remain = (everywhere(index) for index in range(1, 5))
        places_ = [builder.extract_value(values[1], index) for index in range(len(signature.args[1]))]
        potential = cgutils.alloca_once_value(builder, constant(0))
        with cgutils.for_range(builder, builder.extract_value(values[6], 0)) as loop:
            old = builder.load(potential)
            # sign is 0 or -1 as a mask: x ^ sign - sign is x or -x.
            leaked = builder.xor(builder.ashr(old, shift), sign)
            new = builder.sub(builder.add(builder.and_(old, keep), leaked), sign)
            for place in places_:
                offset = builder.add(place, builder.mul(loop.index, values[2]))
                new = builder.add(new, builder.load(pointer(0, offset, _VECTOR), align=2))
            low, high = constant(-MAX_POTENTIAL), constant(MAX_POTENTIAL)
            new = builder.select(builder.icmp_signed("<", new, low), low, new)
            new = builder.select(builder.icmp_signed(">", new, high), high, new)
            fired = builder.icmp_signed(">=", new, constant(THRESHOLD))
            reset = builder.and_(builder.sub(new, constant(THRESHOLD)), remain)
            builder.store(builder.select(fired, reset, new), potential)
            word = builder.add(values[4], builder.mul(loop.index, values[5]))
            builder.store(builder.bitcast(fired, _WORD), pointer(3, word, _WORD), align=8)
        return context.get_dummy_value()

    place = types.intp
    return types.void(tables, places, place, bits, place, place, types.UniTuple(place, 5)), generate


def _count_bits(typing: Any, word: Any) -> Any:
    """Number of ones in a uint64."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.uint64(types.uint64), generate


integrate: Any = intrinsic(_integrate)
count_bits: Any = intrinsic(_count_bits)


@compiled()
def moments(sums, total, squares):
    """Add the sum and the sum of squares of each channel of float32 [rows, C] to float64 [C]."""
    rows, channels = sums.shape
    for index in range(rows):
        for channel in range(channels):
            value = np.float64(sums[index, channel])
            total[channel] += value
            squares[channel] += value * value


@compiled()
def scale(sums, factor, offset, table):
    """Currents of float32 [maps, pixels, C] into int16 [maps, row]."""
    maps, pixels, channels = sums.shape
    for index in range(maps):
        target = table[index][: pixels * channels].reshape(pixels, channels)
        for pixel in range(pixels):
            for channel in range(channels):
                scaled = np.rint(sums[index, pixel, channel] * factor[channel] + offset[channel])
                limited = min(max(np.int32(scaled), np.int32(-MAX_CURRENT)), np.int32(MAX_CURRENT))
                target[pixel, channel] = np.int16(limited)


@compiled()
def pool(values, height, width, channels, divisor, table):
    """round(3x3 sums / divisor) of integers [maps, H * W * C or more] into int16 [maps, row]."""
    line = width * channels
    # The sums of three lines, with a pixel of zeros on either side, and the three pixels of a window in it.
    columns = np.zeros(line + 2 * channels, np.int32)
    left, middle, right = columns[:line], columns[channels:][:line], columns[2 * channels :]
    for index in range(len(values)):
        for y in range(height):
            middle[:] = 0
            for row in range(max(y - 1, 0), min(y + 2, height)):
                read = values[index][row * line :][:line]
                for place in range(line):
                    middle[place] += np.int32(read[place])
            written = table[index][y * line :][:line]
            for place in range(line):
                total = np.int32(np.int32(left[place] + middle[place]) + right[place])
                written[place] = np.int16(np.int32(np.rint(np.float32(total) / divisor)))


@compiled()
def fire(drive, length, bits, dynamics):
    """Words of spikes [T, B, W] of one map driven by a table, flat, whose rows are ``length`` long."""
    steps, images, words = bits.shape
    flat = bits.reshape(-1)
    for image in range(images):
        for word in range(words):
            place = image * length + word * LANES
            integrate(drive, (place,), images * length, flat, image * words + word, images * words, dynamics)


@compiled()
def unpack(bits, spikes):
    """Words [rows, W] into uint8 [rows, n], n at most 64 W."""
    rows, neurons = spikes.shape
    for row in range(rows):
        whole = neurons // LANES
        for word in range(whole):
            for lane in range(LANES):
                spikes[row, word * LANES + lane] = (bits[row, word] >> np.uint64(lane)) & np.uint64(1)
        for lane in range(neurons - whole * LANES):
            spikes[row, whole * LANES + lane] = (bits[row, whole] >> np.uint64(lane)) & np.uint64(1)


@compiled()
def pack(spikes, bits):
    """Spikes uint8 [rows, n] into words [rows, W]; the last word is filled up with zeros."""
    rows, neurons = spikes.shape
    for row in range(rows):
        for word in range(bits.shape[1]):
            packed = np.uint64(0)
            for lane in range(min(LANES, neurons - word * LANES)):
                packed |= np.uint64(spikes[row, word * LANES + lane]) << np.uint64(lane)
            bits[row, word] = packed


@compiled()
def count(words, length, counts):
    """Add to ``counts`` [B, B] the distances of the rows i < j of ``words`` [B, W], on the diagonal the ones."""
    images = words.shape[0]
    for i in range(images):
        ones = np.uint64(0)
        for word in range(length):
            ones += count_bits(words[i, word])
        counts[i, i] += np.int32(ones)
        for j in range(i + 1, images):
            differing = np.uint64(0)
            for word in range(length):
                differing += count_bits(words[i, word] ^ words[j, word])
            counts[i, j] += np.int32(differing)


@compiled()
def distances(bits, found):
    """Distances int32 [maps, B, B], above and on the diagonal, of words [maps, B, W]."""
    for index in range(bits.shape[0]):
        count(bits[index], bits.shape[2], found[index])


@compiled()
def outputs(tables, length, words, picks, bits, dynamics, found):
    """Distances int32 [cells, T, B, B] of output nodes; ``bits`` [cells, T, B, chunk] is what is kept at a time."""
    cells, steps, images = found.shape[:3]
    chunk = bits.shape[3]
    flat = bits.reshape(-1)
    size, stride = steps * images * length, images * length
    for first in range(0, words, chunk):
        last = min(first + chunk, words)
        # The tables of one image fit the second cache, where they are read for every cell.
        for image in range(images):
            for cell in range(cells):
                start = image * length
                one = picks[cell, 0] * size + start
                other = picks[cell, 1] * size + start
                third = picks[cell, 2] * size + start
                at = (cell * steps * images + image) * chunk - first
                for word in range(first, last):
                    place = word * LANES
                    places = (one + place, other + place, third + place)
                    integrate(tables, places, stride, flat, at + word, images * chunk, dynamics)
        for cell in range(cells):
            for t in range(steps):
                count(bits[cell, t], last - first, found[cell, t])


@compiled()
def kernels(distances_, neurons, epsilon, found):
    """``toolchain.search.scoring.sahd.kernels``, operation by operation: float64 [cells, 3, pairs]."""
    cells, steps, images = distances_.shape[:3]
    size = np.float64(neurons)
    half = 0.5 * size * size
    for cell in range(cells):
        for t in range(steps):
            pair = 0
            for i in range(images):
                one = np.float64(distances_[cell, t, i, i])
                for j in range(i + 1, images):
                    other = np.float64(distances_[cell, t, j, j])
                    hamming = np.float64(distances_[cell, t, i, j])
                    expected = one * (size - other) + other * (size - one)
                    found[cell, 0, pair] += hamming
                    found[cell, 1, pair] += half * hamming / np.maximum(expected, 1.0)
                    found[cell, 2, pair] += 0.5 * hamming / (expected / size + epsilon)
                    pair += 1
        for pair in range(found.shape[2]):
            for form in range(3):
                found[cell, form, pair] = steps * size - found[cell, form, pair]
