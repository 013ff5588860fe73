"""Bytes of ``model_float.onnx``, part by part as ``exporters.onnx.snasnet`` writes it, before it exists.

What is the same in every time step, because no neuron comes before it, is written once and counted in each; and
names are taken at their longest. So a file is never larger than predicted, and smaller by some kilobytes at most.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from toolchain import __version__
from toolchain.architecture.cells import OUTPUT, Cell, Operation
from toolchain.architecture.snasnet import SnasnetArchitecture, to_text
from toolchain.cost.onnx_parts import CONVOLUTION, POOLING, attribute, operator, tensor, varint
from toolchain.graph.nodes import Shape

FLOAT_BYTES = 4
KERNELS = {Operation.CONV1X1: 1, Operation.CONV3X3: 3}
"""Sides of the convolutions in cells."""

_AVERAGE = attribute("kernel_shape", 2) + attribute("pads", 4) + attribute("count_include_pad")

_FRAME = 410 + 2 * len(__version__)


@lru_cache(maxsize=1024)
def file_bytes(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """The largest that the file of ``architecture`` can be."""
    steps = _step(architecture, len(".t0"), first=True)
    # From the eleventh time step on, its number has two digits.
    late = max(architecture.time_steps - 10, 0)
    for number, suffix in ((architecture.time_steps - 1 - late, len(".t1")), (late, len(".t10"))):
        steps += number * _step(architecture, suffix, first=False) if number else 0
    parts = _constants(architecture, pixels, classes) + steps + len(to_text(architecture))
    return int(_FRAME + varint(parts) + parts)


def convolved(cell: Cell) -> list[int]:
    """Side of the kernel of each convolution."""
    return [KERNELS[operation] for operation in cell.operations if operation in KERNELS]


def firing(cell: Cell) -> set[int]:
    """Nodes that a convolution reads, and that therefore have neurons."""
    return {source for node in cell.nodes for source, operation in cell.into(node) if operation in KERNELS}


def _constants(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    channels, width = architecture.channels, architecture.width
    total = _convolution("stem", channels, pixels.channels, 3)
    total += _convolution("reduction", 2 * channels, channels, 3)
    for name, cell, wide in zip(
        ("first", "second"), architecture.cells, (channels, 2 * channels), strict=True
    ):
        total += sum(_convolution(f"{name}.00", wide, wide, side) for side in convolved(cell))
    for name, wide in (("reduction", channels), ("last", 2 * channels)):
        total += sum(_values(f"{name}.{part}", 1, wide, 1, 1) for part in ("gain", "offset"))
    features = architecture.maps(pixels).pooled.size
    total += _values("full.weight", features, width)
    total += _values("voters.weight", classes, width) + _values("voters.bias", classes)
    return total + _values("threshold") + _values("kept")


def _step(architecture: SnasnetArchitecture, suffix: int, first: bool) -> int:
    """Operators of a time step, whose names end in so many characters."""
    one, other = architecture.cells
    # The stem's map is the same in every step, and so is what follows from it without neurons.
    kept = set() if first else _lasting(one)
    total = _convolution_of("stem", "pixels", suffix) * first
    total += _cell("first", one, suffix, first, kept) + _cell("second", other, suffix, first, set())
    total += _norm("reduction", "first.00.total", suffix) * (OUTPUT not in kept)
    total += _norm("last", "second.00.total", suffix)
    for name in ("reduction", "last"):
        total += _neurons(name, f"{name}.normalized", suffix, first)
        total += _operator("AveragePool", (f"{name}.spikes",), f"{name}.pooled", suffix, POOLING)
    return (
        total
        + _convolution_of("reduction", "reduction.spikes", suffix)
        + _operator("Flatten", ("last.pooled",), "features", suffix, attribute("axis"))
        + _operator("MatMul", ("features",), "full.sums", suffix, 0, "full.weight")
        + _neurons("full", "full.sums", suffix, first)
        + _operator("Add", ("full.spikes", "full.spikes"), "counts", suffix) * (not first)
    )


def _cell(name: str, cell: Cell, suffix: int, first: bool, kept: set[int]) -> int:
    """Operators of a cell, less those of values that are ``kept`` from an earlier step."""
    # A node's value at its longest: a sum.
    value = f"{name}.00.total"
    same = _same(cell)
    total = len({same[node] for node in firing(cell)}) * _neurons(f"{name}.node0", value, suffix, first)
    total += sum(_convolution_of(f"{name}.00", f"{name}.node0.spikes", suffix) for _ in convolved(cell))
    pooled = set[int]()
    for node in cell.nodes:
        edges = list(cell.into(node))
        pooled |= {same[source] for source, operation in edges if operation == Operation.AVGPOOL3X3}
        if node not in kept:
            total += (len(edges) - 1) * _operator("Add", (value, value), value, suffix)
    return total + len(pooled - kept) * _operator("AveragePool", (value,), f"{name}.pool0", suffix, _AVERAGE)


def _same(cell: Cell) -> dict[int, int]:
    """For each node the first one that has the same value: a skip alone changes nothing."""
    found = {0: 0}
    for node in cell.nodes:
        (source, operation), *more = cell.into(node)
        found[node] = found[source] if operation == Operation.SKIP and not more else node
    return found


def _lasting(cell: Cell) -> set[int]:
    """Nodes whose values are the same in every time step if the cell's input is: no neurons come before them."""
    found = {0}
    for node in cell.nodes:
        if all(source in found and operation not in KERNELS for source, operation in cell.into(node)):
            found.add(node)
    return found


def _norm(name: str, value: str, suffix: int) -> int:
    scaled = _operator("Mul", (value,), f"{name}.scaled", suffix, 0, f"{name}.gain")
    return scaled + _operator("Add", (f"{name}.scaled",), f"{name}.normalized", suffix, 0, f"{name}.offset")


def _neurons(name: str, current: str, suffix: int, first: bool) -> int:
    potential, spikes = current if first else f"{name}.potential", f"{name}.spikes"
    keeping = _operator("Mul", (f"{name}.reset",), f"{name}.left", suffix, 0, "kept")
    keeping += _operator("Add", (f"{name}.left", current), potential, suffix)
    return (
        keeping * (not first)
        + _operator("GreaterOrEqual", (potential,), f"{name}.fired", suffix, 0, "threshold")
        + _operator("Cast", (f"{name}.fired",), spikes, suffix, attribute("to"))
        + _operator("Mul", (potential, spikes), f"{name}.drop", suffix)
        + _operator("Sub", (potential, f"{name}.drop"), f"{name}.reset", suffix)
    )


def _convolution_of(name: str, source: str, suffix: int) -> int:
    return _operator("Conv", (source,), f"{name}.sums", suffix, CONVOLUTION, f"{name}.weight", f"{name}.bias")


def _operator(
    kind: str, inputs: tuple[str, ...], output: str, suffix: int, attributes: int = 0, *constants: str
) -> int:
    lengths = (*(len(name) + suffix for name in inputs), *map(len, constants))
    return int(operator(kind, lengths, len(output) + suffix, attributes))


def _convolution(name: str, channels: int, read: int, side: int) -> int:
    return _values(f"{name}.weight", channels, read, side, side) + _values(f"{name}.bias", channels)


def _values(name: str, *extents: int) -> int:
    sizes = sum(1 + int(varint(each)) for each in extents)
    return int(tensor(len(name), sizes, FLOAT_BYTES * prod(extents)))
