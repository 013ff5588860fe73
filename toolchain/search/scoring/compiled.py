# mypy: allow-untyped-defs
"""The integer operations of scoring as numba kernels: spikes packed in words, distances by counting bits."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from toolchain.search.scoring.backend import WORD, row
from toolchain.search.scoring.fixed_point import MAX_CURRENT, Dynamics
from toolchain.search.scoring.vectors import count_bits, step

SPAN = 8
"""Words of an image that a cell is given before the next cell: its tables are then in the first-level cache."""

CHUNK = 64
"""Words of a row whose spikes are kept until their distances are counted."""

GROUP = 96
"""Most output nodes whose spikes are kept: 96 * T * B * CHUNK words, 8 MiB for 160 images and steps."""


class Compiled:
    """``toolchain.search.scoring.backend.Backend`` for tensors on the CPU."""

    def moments(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        total, squares = _moments(sums.reshape(-1, sums.shape[-1]).numpy())
        return torch.from_numpy(total), torch.from_numpy(squares)

    def scale(self, sums: Tensor, factor: Tensor, offset: Tensor, chosen: Tensor | None, out: Tensor) -> None:
        steps, images, pixels, channels = sums.shape
        rows = sums.reshape(steps * images, pixels, channels).numpy()
        table = out.reshape(steps * images, -1).numpy()
        if chosen is None:
            _scale(rows, factor.numpy(), offset.numpy(), table)
        else:
            _scale_chosen(rows, factor.numpy(), offset.numpy(), chosen.numpy(), table)

    def pool(self, values: Tensor, divisor: float) -> Tensor:
        maps = values.flatten(0, 1).numpy()
        return torch.from_numpy(_pool(maps, np.float32(divisor))).unflatten(0, values.shape[:2])

    def fire(self, drive: Tensor, dynamics: Dynamics, neurons: int) -> Tensor:
        spikes = torch.empty((*drive.shape[:2], neurons), dtype=torch.uint8)
        _fire(drive.reshape(-1).numpy(), drive.shape[2], *_factors(dynamics), spikes.numpy())
        return spikes

    def distances(self, spikes: Tensor) -> Tensor:
        steps, images, neurons = spikes.shape
        bits = np.zeros((steps, images, row(neurons) // WORD), np.uint64)
        _pack(spikes.numpy(), bits)
        found = np.zeros((steps, images, images), np.int32)
        for words, counts in zip(bits, found, strict=True):
            _count(words, counts)
            _mirror(counts)
        return torch.from_numpy(found)

    def outputs(self, tables: Tensor, picks: Tensor, dynamics: Dynamics) -> Tensor:
        _, steps, images, length = tables.shape
        found = np.zeros((len(picks), steps, images, images), np.int32)
        bits = np.empty((min(GROUP, len(picks)), steps, images, min(CHUNK, length // WORD)), np.uint64)
        flat = tables.reshape(-1).numpy()
        for first in range(0, len(picks), GROUP):
            part = picks[first : first + GROUP].numpy()
            _outputs(flat, part, length, bits, *_factors(dynamics), found[first : first + GROUP])
        return torch.from_numpy(found)


def _factors(dynamics: Dynamics) -> tuple[np.int16, np.int16, np.int16, np.int16]:
    return (
        np.int16(dynamics.shift),
        np.int16(dynamics.keep),
        np.int16(dynamics.sign),
        np.int16(dynamics.remain),
    )


@njit(cache=True, nogil=True)
def _moments(sums):
    rows, channels = sums.shape
    total, squares = np.zeros(channels), np.zeros(channels)
    for index in range(rows):
        for channel in range(channels):
            value = np.float64(sums[index, channel])
            total[channel] += value
            squares[channel] += value * value
    return total, squares


@njit(cache=True, nogil=True)
def _current(value, factor, offset):
    rounded = np.int32(np.rint(value * factor + offset))
    return np.int16(min(max(rounded, np.int32(-MAX_CURRENT)), np.int32(MAX_CURRENT)))


@njit(cache=True, nogil=True)
def _scale(sums, factor, offset, table):
    maps, pixels, channels = sums.shape
    for index in range(maps):
        for pixel in range(pixels):
            for channel in range(channels):
                table[index, pixel * channels + channel] = _current(
                    sums[index, pixel, channel], factor[channel], offset[channel]
                )


@njit(cache=True, nogil=True)
def _scale_chosen(sums, factor, offset, chosen, table):
    channels = sums.shape[2]
    for index in range(sums.shape[0]):
        for place in range(chosen.size):
            pixel, channel = divmod(chosen[place], channels)
            table[index, place] = _current(sums[index, pixel, channel], factor[channel], offset[channel])


@njit(cache=True, nogil=True)
def _pool(values, divisor):
    maps, height, width, channels = values.shape
    pooled = np.empty(values.shape, np.int16)
    total = np.empty(channels, np.int32)
    for index in range(maps):
        for y in range(height):
            for x in range(width):
                total[:] = 0
                for row_ in range(max(y - 1, 0), min(y + 2, height)):
                    for column in range(max(x - 1, 0), min(x + 2, width)):
                        for channel in range(channels):
                            total[channel] += np.int32(values[index, row_, column, channel])
                for channel in range(channels):
                    quotient = np.float32(total[channel]) / divisor
                    pooled[index, y, x, channel] = np.int16(np.int32(np.rint(quotient)))
    return pooled


@njit(cache=True, nogil=True)
def _fire(drive, length, shift, keep, sign, remain, spikes):
    steps, images, neurons = spikes.shape
    potentials = np.empty(length, np.int16)
    for image in range(images):
        potentials[:] = 0
        for t in range(steps):
            start = (t * images + image) * length
            for at in range(0, length, WORD):
                fired = step(drive, (start + at,), potentials, at, shift, keep, sign, remain)
                for lane in range(min(WORD, neurons - at)):
                    spikes[t, image, at + lane] = (fired >> np.uint64(lane)) & np.uint64(1)


@njit(cache=True, nogil=True)
def _pack(spikes, bits):
    steps, images, neurons = spikes.shape
    for t in range(steps):
        for image in range(images):
            for at in range(0, neurons, WORD):
                word = np.uint64(0)
                for lane in range(min(WORD, neurons - at)):
                    word |= np.uint64(spikes[t, image, at + lane]) << np.uint64(lane)
                bits[t, image, at // WORD] = word


@njit(cache=True, nogil=True)
def _count(words, counts):
    """Add to ``counts`` [B, B] the distances of the rows i < j of ``words`` [B, W], on the diagonal the ones."""
    images, length = words.shape
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


@njit(cache=True, nogil=True)
def _mirror(counts):
    for i in range(counts.shape[0]):
        for j in range(i):
            counts[i, j] = counts[j, i]


@njit(cache=True, nogil=True)
def _outputs(tables, picks, length, bits, shift, keep, sign, remain, found):
    cells, steps, images = found.shape[:3]
    words, kept = length // WORD, bits.shape[3]
    size = steps * images * length
    potentials = np.empty(SPAN * WORD, np.int16)
    for chunk in range(0, words, kept):
        last = min(chunk + kept, words)
        for span in range(chunk, last, SPAN):
            end = min(span + SPAN, last)
            for image in range(images):
                for cell in range(cells):
                    potentials[:] = 0
                    for t in range(steps):
                        row_ = (t * images + image) * length
                        one = picks[cell, 0] * size + row_
                        other = picks[cell, 1] * size + row_
                        third = picks[cell, 2] * size + row_
                        for word in range(span, end):
                            at = word * WORD
                            bits[cell, t, image, word - chunk] = step(
                                tables, (one + at, other + at, third + at),
                                potentials, at - span * WORD, shift, keep, sign, remain,
                            )  # fmt: skip
        for cell in range(cells):
            for t in range(steps):
                _count(bits[cell, t, :, : last - chunk], found[cell, t])
    for cell in range(cells):
        for t in range(steps):
            _mirror(found[cell, t])
