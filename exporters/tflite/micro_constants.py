"""What the constants of a ``toolchain.cost.tflm_program.Program`` hold, by their roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporters.tflite.lowering import head_weight
from toolchain.cost.tflm_program import Constant, Value
from toolchain.cost.tflm_read_out import DIGIT_BITS, DIGIT_COLUMNS
from toolchain.cost.tflm_state import UNIT
from toolchain.errors import InputError
from toolchain.graph.bounds import INT16_MAX, INT16_MIN, round_half_up
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, PixelConv, Pool, Skip, SpikeConv, as_int

Integers = NDArray[np.int64]


class Content(NamedTuple):
    """Numbers of a constant, and its scales if they are not the one that its tensor states."""

    numbers: Any
    scales: NDArray[np.float64] | None = None


def content(graph: Graph, value: Value) -> tuple[NDArray[Any], list[float]]:
    """The array of a constant and its scales. Raises ``InputError`` if a sum could leave int16 on its way."""
    assert value.constant is not None
    found = ROLES[value.constant.role](graph, value.constant)
    numbers = np.asarray(found.numbers, np.int64)
    array = np.ascontiguousarray(np.broadcast_to(numbers, value.shape).astype(value.dtype))
    assert np.array_equal(array, np.broadcast_to(numbers, value.shape)), value
    scales = [] if not value.scales else [value.scale] if found.scales is None else found.scales.tolist()
    return array, scales


def edge_biases(node: Lif) -> dict[int, Integers]:
    """How much of the bias each convolution of ``node`` adds, int64 [channels] by the edge's number.

    The first one adds it all, unless a convolution's current or their running sum could then leave int16 though the
    whole current cannot; then each takes its share of the whole range.
    """
    ranges = {
        index: _range(edge)
        for index, edge in enumerate(node.edges)
        if isinstance(edge, PixelConv | SpikeConv)
    }
    bias = as_int(node.bias, f"{node.name}.bias")
    parts = {index: bias if place == 0 else np.zeros_like(bias) for place, index in enumerate(ranges)}
    if not _stays(parts, ranges):
        low = bias + sum(each[0] for each in ranges.values())
        lengths = np.cumsum([high - least for least, high in ranges.values()], axis=0)
        shares = np.diff(low * lengths // np.maximum(lengths[-1], 1), axis=0, prepend=0)
        shares[-1] += low - shares.sum(axis=0)
        parts = {index: share - ranges[index][0] for index, share in zip(ranges, shares, strict=True)}
    others = sum(_constant_current(node, edge) for edge in node.edges)
    if not _stays(parts, ranges) or (not ranges and np.max(others) > INT16_MAX):
        raise InputError(
            f"{node.name}: a sum of its edges' currents can leave int16 before all are added, which TensorFlow Lite "
            "Micro's kernels would clamp; lower its exponents"
        )
    return parts


def _stays(parts: dict[int, Integers], ranges: dict[int, tuple[Integers, Integers]]) -> bool:
    low = high = np.zeros(1, np.int64)
    fits = True
    for index, (least, most) in ranges.items():
        low, high = low + least + parts[index], high + most + parts[index]
        for bottom, top in ((low, high), (least + parts[index], most + parts[index])):
            fits &= bool(np.all(bottom >= INT16_MIN) and np.all(top <= INT16_MAX))
    return fits


def _range(edge: PixelConv | SpikeConv) -> tuple[Integers, Integers]:
    """Least and most that a convolution gives without bias."""
    weight = as_int(edge.weight, "weight")
    weight = weight.reshape(len(weight), -1)
    low, high = np.minimum(weight, 0).sum(1), np.maximum(weight, 0).sum(1)
    if isinstance(edge, SpikeConv):
        return low, high
    rounding = as_int(edge.rounding, "rounding")
    return round_half_up(255 * low, rounding), round_half_up(255 * high, rounding)


def _constant_current(node: Lif, edge: object) -> Integers:
    """Most that a skip or a pool adds."""
    one = 1 << as_int(node.exponent, f"{node.name}.exponent")
    return one if isinstance(edge, Skip) else 9 * one // 8 if isinstance(edge, Pool) else 0 * one


def _lif(graph: Graph, constant: Constant) -> Lif:
    node = graph.node(str(constant.node))
    assert isinstance(node, Lif)
    return node


def _convolution(graph: Graph, constant: Constant) -> PixelConv | SpikeConv:
    edge = _lif(graph, constant).edges[constant.edge or 0]
    assert isinstance(edge, PixelConv | SpikeConv)
    return edge


def _threshold(graph: Graph, constant: Constant) -> Content:
    return Content(as_int(_lif(graph, constant).threshold, "threshold"))


def _threshold_less_one(graph: Graph, constant: Constant) -> Content:
    return Content(as_int(_lif(graph, constant).threshold, "threshold") - 1)


def _bias(graph: Graph, constant: Constant) -> Content:
    node = _lif(graph, constant)
    edge_biases(node)
    return Content(as_int(node.bias, "bias"))


def _skip(graph: Graph, constant: Constant) -> Content:
    return Content(1 << as_int(_lif(graph, constant).exponent, "exponent"))


def _window(graph: Graph, constant: Constant) -> Content:
    """2**(e - 3): what an int8 weight holds of it, and the rest as the channel's scale."""
    exponent = as_int(_lif(graph, constant).exponent, "exponent") - 3
    held = np.minimum(exponent, 6)
    return Content(1 << held, np.ldexp(1.0, exponent - held))


def _weight(graph: Graph, constant: Constant) -> Content:
    """[out, kernel, kernel, in]; a pixel edge's rounding is in its scales."""
    edge = _convolution(graph, constant)
    numbers = as_int(edge.weight, "weight").transpose(0, 2, 3, 1)
    if isinstance(edge, SpikeConv):
        return Content(numbers)
    return Content(numbers, UNIT * np.ldexp(1.0, -as_int(edge.rounding, "rounding")))


def _edge_bias(graph: Graph, constant: Constant) -> Content:
    """In units of the sum before it is rounded."""
    edge, part = _convolution(graph, constant), edge_biases(_lif(graph, constant))[constant.edge or 0]
    return Content(part << as_int(edge.rounding, "rounding") if isinstance(edge, PixelConv) else part)


def _leak(graph: Graph, constant: Constant) -> Content:
    form, shift = constant.detail[:2]
    return Content((1 << int(shift)) - 1 if form == "subtract" else 1)


def _leak_rounding(graph: Graph, constant: Constant) -> Content:
    """floor(a * 2**-k + 1/2) of the sum gives floor(u / 2**k), or u - floor(u / 2**k) = ceil(u * (1 - 2**-k))."""
    form, shift = constant.detail[:2]
    half = 1 << int(shift) >> 1
    return Content({"none": 0, "shift": -half, "subtract": half - 1}[str(form)])


def _margins(graph: Graph, constant: Constant) -> Content:
    height, width = constant.detail
    return Content([[0, 0], [1, height], [1, width], [0, 0]])


def _head_weight(graph: Graph, constant: Constant) -> Content:
    """The classes' weights, and in the further columns what takes the high digit of each class from its own score."""
    start, classes = map(int, constant.detail)
    less = -np.tile(np.eye(classes, dtype=np.int64), DIGIT_COLUMNS) * (2**DIGIT_BITS // DIGIT_COLUMNS)
    return Content(np.concatenate([head_weight(graph)[start : start + classes], less], axis=1))


def _head_bias(graph: Graph, constant: Constant) -> Content:
    start, classes = map(int, constant.detail)
    return Content(as_int(graph.head.bias, "head.bias")[start : start + classes])


ROLES: dict[str, Callable[[Graph, Constant], Content]] = {
    "threshold": _threshold,
    "threshold_less_one": _threshold_less_one,
    "bias": _bias,
    "skip": _skip,
    "window": _window,
    "weight": _weight,
    "edge_bias": _edge_bias,
    "leak": _leak,
    "leak_rounding": _leak_rounding,
    "one": lambda graph, constant: Content(1),
    "axes": lambda graph, constant: Content([1, 2]),
    "frame": lambda graph, constant: Content(constant.detail),
    "margins": _margins,
    "features": lambda graph, constant: Content([1, graph.head_features()]),
    "digit_margins": lambda graph, constant: Content([[0, 0], [0, *constant.detail]]),
    "head_weight": _head_weight,
    "head_bias": _head_bias,
    "base": lambda graph, constant: Content(1 << DIGIT_BITS),
}
