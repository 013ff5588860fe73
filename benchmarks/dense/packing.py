"""How the dense kernels read weights, on each core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.dense.network import Convolution, DenseNetwork, Layer
from toolchain.graph.nodes import Shape
from toolchain.profiles.schema import Core

TAPS = 4
"""Taps that the kernel works on at once, ``DENSE_TAPS`` in ``runtime/dense.h``."""


@dataclass(frozen=True)
class Order:
    """How a core's kernel reads weights: ``channels`` at a time, ``taps`` of one and then of the next, plus ``offset``.

    Channels are padded with zeros to a multiple of ``channels``.
    """

    channels: int
    taps: int
    offset: int = 0


_DSP = Order(2, TAPS)

ORDERS: dict[Core, Order] = {
    "cortex-m4": _DSP,
    "cortex-m7": _DSP,
    "cortex-m33": _DSP,
    "cortex-m3": Order(4, 1),
    "cortex-m0plus": Order(2, 1, 128),
}
"""``runtime/dense_dsp.S`` and ``runtime/dense_plain.S``."""


@dataclass(frozen=True)
class Rows:
    """How the taps of a window are grouped: ``padded`` fills up each row of it, else the whole is filled up."""

    padded: bool
    row_groups: int
    groups: int

    @classmethod
    def of(cls, kernel: int, channels: int) -> Rows:
        """The cheapest grouping; rows are filled up where that costs nothing, because they are then read in place."""
        row, whole = -(-kernel * channels // TAPS), -(-kernel * kernel * channels // TAPS)
        return cls(row * kernel == whole, row, whole)


def groups(network: DenseNetwork, layer: Layer) -> int:
    """Groups of taps in a column of ``layer``."""
    return sum(rows(network, edge).groups for edge in layer.convolutions) or 1


def rows(network: DenseNetwork, edge: Convolution) -> Rows:
    """Grouping of the window of ``edge``."""
    return Rows.of(edge.kernel, network.shape(edge.source).channels)


def gathers(network: DenseNetwork, edge: Convolution) -> bool:
    """Whether windows at the border are copied byte by byte."""
    return network.shape(edge.source).channels % TAPS != 0


def packed_weights(layer: Layer, shapes: Mapping[str, Shape], order: Order) -> NDArray[np.int16]:
    """Weights, int8 or uint8 values, in the order in which a core's kernel reads them."""
    columns = [_taps(edge, shapes[edge.source].channels) for edge in layer.convolutions]
    taps = np.concatenate(columns, axis=1) if columns else np.zeros((layer.shape.channels, TAPS), np.int8)
    padded = np.pad(taps, ((0, -len(taps) % order.channels), (0, 0))).astype(np.int16) + order.offset
    blocks = padded.reshape(-1, order.channels, padded.shape[1] // order.taps, order.taps)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).ravel()


def _taps(edge: Convolution, channels: int) -> NDArray[np.int8]:
    """Weights int8 [out, taps] in the order of a column."""
    out, kernel = len(edge.weight), edge.kernel
    grouped = Rows.of(kernel, channels)
    taps = edge.weight.transpose(0, 2, 3, 1).reshape(out, kernel, -1)
    if grouped.padded:
        filled = np.pad(taps, ((0, 0), (0, 0), (0, grouped.row_groups * TAPS - taps.shape[2])))
        return filled.reshape(out, -1)
    taps = taps.reshape(out, -1)
    return np.pad(taps, ((0, 0), (0, grouped.groups * TAPS - taps.shape[1])))
