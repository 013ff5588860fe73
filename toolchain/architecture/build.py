"""From an architecture to the Graph that it stands for, without weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.architecture.architecture import SHRINK_KERNEL, STEM_KERNEL, Architecture, Shrink
from toolchain.architecture.cells import OUTPUT, Cell, Operation
from toolchain.architecture.text import to_text
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import (
    Edge,
    Head,
    Input,
    Lif,
    Node,
    OrPool,
    PixelConv,
    Pool,
    Shape,
    Skip,
    SpikeConv,
    conv_output,
)
from toolchain.graph.preprocessing import Preprocessing


def build(
    architecture: Architecture,
    input_shape: Shape,
    preprocessing: Preprocessing,
    labels: tuple[str, ...],
    shifts: tuple[int, ...] = (),
) -> Graph:
    """The Graph of ``architecture`` for pixels of ``input_shape``, that of one frame, with one class a label.

    With ``shifts``, the powers of two of the units of its outputs, with one number a label instead.

    Nodes are called ``pixels``, ``stem``, ``cell0_node1`` (cells from 0, their nodes 1 to 3), ``shrink1``
    (from 1; with OR pooling it reads ``pool1``) and ``head``. Raises ``InputError`` if the maps become too
    small for the shrinks, too large to be counted, or break another rule of ``toolchain.graph.rules``.
    """
    path = _Path(architecture, input_shape, preprocessing.frames)
    for block in architecture.blocks:
        if isinstance(block, Cell):
            path.cell(block)
        else:
            path.shrink(block)
    # A head that counts has so few weights that fewer bits would save next to nothing.
    bits = architecture.bits if architecture.head == "flatten" else 8
    head = Head("head", path.last, len(labels), architecture.head, shifts=tuple(shifts), bits=bits)
    graph = Graph((*path.nodes, head), architecture.time_steps, preprocessing, tuple(labels))
    require_valid(graph, f"`{to_text(architecture)}` for pixels of {tuple(input_shape)}")
    return graph


@dataclass
class _Path:
    """The nodes built so far; ``last`` and ``shape`` are those of the map that the next block reads."""

    architecture: Architecture
    input_shape: Shape
    frames: int
    nodes: list[Node] = field(default_factory=list)
    cells: int = 0
    shrinks: int = 0

    def __post_init__(self) -> None:
        sides = conv_output(self.input_shape, STEM_KERNEL, self.architecture.stem_stride)
        self.shape = Shape(self.architecture.stem_channels, *sides)
        self.nodes.append(Input("pixels", self.input_shape, self.frames))
        self.last = self.lif("stem", [PixelConv("pixels", STEM_KERNEL, self.architecture.stem_stride)])

    def lif(self, name: str, edges: list[Edge]) -> str:
        convolves = any(isinstance(edge, SpikeConv) for edge in edges)
        self.nodes.append(
            Lif(
                name,
                self.shape,
                tuple(edges),
                self.architecture.leak,
                self.architecture.reset,
                bits=self.architecture.bits if convolves else 8,
            )
        )
        return name

    def cell(self, cell: Cell) -> None:
        names = {0: self.last}
        for node in cell.nodes:
            edges = [_edge(operation, names[source]) for source, operation in cell.into(node)]
            names[node] = self.lif(f"cell{self.cells}_node{node}", edges)
        self.last = names[OUTPUT]
        self.cells += 1

    def shrink(self, shrink: Shrink) -> None:
        self.shrinks += 1
        stride = 2
        if shrink.form == "pool":
            stride = 1
            self.shape = Shape(self.shape.channels, self.shape.height // 2, self.shape.width // 2)
            self.nodes.append(OrPool(f"pool{self.shrinks}", self.shape, self.last))
            self.last = f"pool{self.shrinks}"
        self.shape = Shape(shrink.channels, *conv_output(self.shape, SHRINK_KERNEL, stride))
        self.last = self.lif(f"shrink{self.shrinks}", [SpikeConv(self.last, SHRINK_KERNEL, stride)])


def _edge(operation: Operation, source: str) -> Edge:
    if operation == Operation.SKIP:
        return Skip(source)
    if operation == Operation.AVGPOOL3X3:
        return Pool(source)
    return SpikeConv(source, 1 if operation == Operation.CONV1X1 else 3, 1)
